import type { Migration } from '@sage-adk/core/postgres';

// Payload, headers and error are text, not jsonb: jsonb refuses \u0000 and gives numbers back changed.
export const migrations: readonly Migration[] = [
  {
    id: '1-letters',
    sql: `
      create table sage_dead_letters (
        queue text not null,
        id text collate "C" not null,
        source text not null,
        dedupe_key text not null,
        payload text not null,
        headers text not null,
        error text not null,
        category text not null,
        reason text not null,
        fingerprint text not null,
        state text not null check (state in ('dead', 'claimed', 'parked')),
        version bigint not null,
        failures integer not null,
        redrives integer not null,
        first_failed_at timestamptz not null,
        failed_at timestamptz not null,
        visible_at timestamptz not null,
        expires_at timestamptz not null,
        primary key (queue, id),
        unique (queue, source, dedupe_key)
      ) with (toast_tuple_target = 128);
      alter table sage_dead_letters alter column payload set storage external, alter column error set storage external;
      create index sage_dead_letters_due on sage_dead_letters (queue, visible_at, id) where state <> 'parked';
      create index sage_dead_letters_expiry on sage_dead_letters using brin (expires_at) with (autosummarize = on);
      create table sage_dead_letter_counters (queue text primary key, dropped bigint not null);
    `,
  },
  {
    // Each claim writes a letter anew, with a new entry in each index: so these are few and narrow, and what is read without going over texts stands first.
    id: '2-narrow',
    sql: `
      alter table sage_dead_letters rename to sage_dead_letters_1;
      create table sage_dead_letters (
        id uuid not null,
        key uuid not null,
        version bigint not null,
        visible_at timestamptz not null,
        expires_at timestamptz not null,
        first_failed_at timestamptz not null,
        failed_at timestamptz not null,
        failures integer not null,
        redrives integer not null,
        queue text collate "C" not null,
        state text collate "C" not null check (state in ('dead', 'claimed', 'parked')),
        source text collate "C" not null,
        dedupe_key text collate "C" not null,
        fingerprint text collate "C" not null,
        category text collate "C" not null,
        reason text collate "C" not null,
        headers text not null,
        payload text not null,
        error text not null
      ) with (toast_tuple_target = 128);
      alter table sage_dead_letters alter column payload set storage external, alter column error set storage external;
      insert into sage_dead_letters select id::uuid,
        encode(substring(sha256(convert_to(source || E'\\n' || dedupe_key || E'\\n' || queue, 'UTF8')) for 16), 'hex')::uuid,
        version, visible_at, expires_at, first_failed_at, failed_at, failures, redrives, queue, state, source, dedupe_key, fingerprint, category, reason, headers, payload, error from sage_dead_letters_1;
      drop table sage_dead_letters_1;
      alter table sage_dead_letters add primary key (queue, id), add unique (key);
      create index sage_dead_letters_due on sage_dead_letters (queue, visible_at) where state <> 'parked';
    `,
  },
];
