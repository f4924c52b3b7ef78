import { testScenarios } from '../test-scenarios.ts';
import { evidence } from './evidence.ts';

testScenarios(evidence);
