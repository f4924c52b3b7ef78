import { testScenarios } from '../test-scenarios.ts';
import { probes } from './probes.ts';

testScenarios(probes);
