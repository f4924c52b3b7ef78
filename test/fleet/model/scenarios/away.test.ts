import { testScenarios } from '../test-scenarios.ts';
import { away } from './away.ts';

testScenarios(away);
