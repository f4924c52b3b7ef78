import { testScenarios } from '../test-scenarios.ts';
import { lostWrites } from './lost-writes.ts';

testScenarios(lostWrites);
