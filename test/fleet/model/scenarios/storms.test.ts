import { testScenarios } from '../test-scenarios.ts';
import { storms } from './storms.ts';

testScenarios(storms);
