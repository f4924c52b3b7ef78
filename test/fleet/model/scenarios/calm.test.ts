import { testScenarios } from '../test-scenarios.ts';
import { calm } from './calm.ts';

testScenarios(calm);
