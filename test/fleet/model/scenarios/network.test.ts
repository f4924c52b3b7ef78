import { testScenarios } from '../test-scenarios.ts';
import { network } from './network.ts';

testScenarios(network);
