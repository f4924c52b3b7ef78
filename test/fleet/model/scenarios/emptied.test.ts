import { testScenarios } from '../test-scenarios.ts';
import { emptied } from './emptied.ts';

testScenarios(emptied);
