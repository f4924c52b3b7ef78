import { testScenarios } from '../test-scenarios.ts';
import { members } from './members.ts';

testScenarios(members);
