/** publint --strict over the tarball of each library: what `exports`, `files` and `types` promise is in it. */
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { tarballs } from '../tarballs.js';
import { libraries } from '../workspace.js';

export async function check(root) {
  const packed = await tarballs(root);
  const problems = [];
  for (const { name } of libraries(root)) {
    const tarball = new Uint8Array(readFileSync(packed.get(name))).buffer;
    const { messages, pkg } = await publint({ pkgDir: 'package', pack: { tarball }, strict: true });
    problems.push(
      ...messages.map((message) => `${name}: ${message.type}: ${formatMessage(message, pkg, { color: false })}`),
    );
  }
  return { problems };
}
