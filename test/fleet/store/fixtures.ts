export { claim, report, seed, verdict } from '../../../packages/core/src/store/conformance/inputs.ts';
