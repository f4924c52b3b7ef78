// Koa 2 and its router under their aliases of test/package.json: the types of their successors serve.
declare module 'koa2' {
  export { default } from 'koa';
}

declare module 'koa2-router' {
  export { default } from '@koa/router';
}
