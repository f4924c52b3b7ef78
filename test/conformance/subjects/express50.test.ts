import express from 'express50';
import { conformance } from '../harness/conformance.ts';
import { expressSubject } from './express.ts';

conformance(expressSubject('Express 5.0.1 with router 2.0.0', express, { catchesRejections: true }));
