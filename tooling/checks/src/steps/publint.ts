/** publint --strict over the tarball of each library: what `exports`, `files` and `types` promise is in it. */
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { tarballs } from '../tarballs.ts';
import type { Verdict } from '../verdict.ts';

export async function check(root: string): Promise<Verdict> {
  const problems: string[] = [];
  for (const { name, file } of await tarballs(root)) {
    const tarball = new Uint8Array(readFileSync(file)).buffer;
    const { messages, pkg } = await publint({ pkgDir: 'package', pack: { tarball }, strict: true });
    problems.push(
      ...messages.map((message) => `${name}: ${message.type}: ${formatMessage(message, pkg, { color: false })}`),
    );
  }
  return { problems };
}
