import { testScenarios } from '../test-scenarios.ts';
import { decisions } from './decisions.ts';

testScenarios(decisions);
