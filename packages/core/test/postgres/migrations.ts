import type { Migration } from '../../src/postgres/index.ts';

/** Each would fail if it ran twice. */
export const migrations = [
  { id: '1-items', sql: 'create table items (id int primary key, at timestamptz default now());' },
  { id: '2-first', sql: "insert into items values (1); alter table items add column note text default 'none'" },
  { id: '3-view', sql: 'create view newest as select id from items order by at desc' },
] as const satisfies readonly Migration[];
