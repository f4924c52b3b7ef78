import Router from '@koa/router';
import Koa from 'koa';
import { conformance } from '../harness/conformance.ts';
import { koaSubject } from './koa.ts';

conformance(koaSubject('Koa 3 with router 15', { Koa, Router }));
