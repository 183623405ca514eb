/** A web server on loopback that a check can ask: `node web-server.js PORT`. Says "serving" when it is. */
import { createServer } from 'node:http';
import process from 'node:process';

createServer((_request, response) => response.end('all parts are ready\n')).listen(
  Number(process.argv[2]),
  '127.0.0.1',
  () => process.stdout.write('serving\n'),
);
