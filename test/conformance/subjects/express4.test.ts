import express from 'express4';
import { conformance } from '../harness/conformance.ts';
import { expressSubject } from './express.ts';

conformance(expressSubject('Express 4', express as never, { catchesRejections: false }));
