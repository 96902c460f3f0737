/** A process that migrates when its parent says so, and reports what it applied. */
import postgres from 'postgres';
import { fromPostgres, migrate } from '../../src/postgres/index.ts';
import { migrations } from './migrations.ts';

const [url = '', schema = ''] = process.argv.slice(2);
const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
const client = fromPostgres(sql);

await client.query('select 1');
process.once('message', () => {
  void migrate({ client, packageName: 'test', migrations, schema })
    .then((report) => process.send?.(report))
    .catch((error: unknown) => process.send?.({ error: String(error) }))
    .then(() => sql.end())
    .then(() => process.disconnect());
});
process.send?.('ready');
