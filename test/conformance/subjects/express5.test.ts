import express from 'express';
import { conformance } from '../harness/conformance.ts';
import { expressSubject } from './express.ts';

conformance(expressSubject('Express 5', express, { catchesRejections: true }));
