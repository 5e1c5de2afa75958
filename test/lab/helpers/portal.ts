/** A captive portal: `portal ADDRESS PORT` answers every HTTP request with a redirection to its login page. */
import { createServer } from 'node:http';

const [address, port] = process.argv.slice(2);

createServer((_request, response) => {
  response.writeHead(302, { Location: 'http://login.portal.example/', Server: 'portal' });
  response.end('Please log in.\n');
}).listen(Number(port), address);
