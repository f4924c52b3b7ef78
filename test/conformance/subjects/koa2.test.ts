import Koa from 'koa2';
import Router from 'koa2-router';
import { conformance } from '../harness/conformance.ts';
import { koaSubject } from './koa.ts';

conformance(koaSubject('Koa 2 with router 12', { Koa, Router }));
