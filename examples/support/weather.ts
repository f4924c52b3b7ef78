// What the examples call: a weather service that can be broken (POST /break) and mended (POST /mend).
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts it on a free port, and returns its address. It ends with the process. */
export async function startWeather(): Promise<string> {
  let broken = false;
  const server = createServer((req, res) => {
    req.resume();
    if (req.method === 'POST') broken = req.url === '/break';
    else if (broken) res.statusCode = 500;
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(broken ? { broken } : { city: req.url?.slice(1), celsius: 21 }));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
