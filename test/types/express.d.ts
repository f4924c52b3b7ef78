// Express 5.0.1 under its alias of test/package.json: the types of the newest 5 serve.
declare module 'express50' {
  export { default } from 'express';
}
