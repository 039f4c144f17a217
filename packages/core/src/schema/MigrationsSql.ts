/** The statements of migrations and of the checks at a server's start. `$1` is the schema. */
import { quote, type QuotedSchema } from "./SchemaName.ts"
import { ownedTables, rights } from "./tables.ts"

/** PostgreSQL's name of the encoding. */
export interface Encoding {
  readonly encoding: string
}

export const encoding = /* sql */ `select current_setting('server_encoding') as encoding`

/** Lets one upgrade of the schema run at a time. */
export const lock = /* sql */ `select pg_advisory_xact_lock(hashtextextended('todo:migrate:' || $1, 0))::text as lock`

/** Whether the table `migrations` is ours. Other programs also have a table of that name. The columns show whose it is. */
export interface MigrationsTable {
  readonly isOurs: boolean | null
}

export const migrationsTable = /* sql */ `select
  array_agg(attname::text order by attnum) = array['id', 'name', 'applied_at'] as "isOurs"
from pg_attribute where attrelid = to_regclass(format('%I.migrations', $1::text)) and attnum > 0 and not attisdropped`

/** A migration that was applied, and when, in UTC. */
export interface Applied {
  readonly id: number
  readonly name: string
  readonly appliedAt: string
}

export const applied = (schema: QuotedSchema) => /* sql */ `select
  id, name, to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "appliedAt"
from ${schema}.migrations order by id`

/** A function of the database, with the MD5 digest of its attributes and its body. */
export interface StoredFunction {
  readonly name: string
  readonly digest: string
}

export const storedFunctions = /* sql */ `select proname as name,
  md5(concat_ws(' ', provolatile, prosecdef, coalesce(array_to_string(proconfig, ','), ''), prosrc)) as digest
from pg_proc where pronamespace = to_regnamespace(quote_ident($1))`

/** The tables of the list `$2` without forced row-level security, or without the policy of users. */
export interface OpenTable {
  readonly name: string
}

export const openTables = /* sql */ `select relname::text as name
from pg_class c where relnamespace = to_regnamespace(quote_ident($1)) and relname = any($2::text[]) and not (
  relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = c.oid and polname = 'own_rows')
) order by relname`

/** The current role, and what lets it see rows of all users. */
export interface Role {
  readonly name: string
  readonly isSuperuser: boolean
  readonly bypasses: boolean
  /** The tables on which row-level security does not apply to it. */
  readonly open: ReadonlyArray<string>
}

export const role = /* sql */ `select rolname as name, rolsuper as "isSuperuser", rolbypassrls as bypasses, array(
  select relname::text from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = $1 and relkind in ('r', 'p') and not row_security_active(c.oid) and (
    relname = 'users'
    or exists (select from pg_attribute where attrelid = c.oid and attname = 'owner_id' and not attisdropped)
  ) order by relname
) as open from pg_roles where rolname = current_user`

/**
 * Creates the schema if it does not exist, and the table `migrations`. A schema with objects but without that table
 * belongs to another program, and is refused.
 */
export const createSchema = (schemaName: string): ReadonlyArray<string> => {
  const schema = quote(schemaName)
  return [
    /* sql */ `do $$ declare found text; begin
  if not exists (select from pg_namespace where nspname = '${schemaName}') then create schema ${schema}; end if;
  select pg_describe_object(classid, objid, 0) into found
  from pg_depend where refclassid = 'pg_namespace'::regclass and refobjid = '${schema}'::regnamespace limit 1;
  if found is not null then
    raise exception using errcode = 'duplicate_schema',
      message = 'schema ${schema} is in use by something else (' || found || '); set TODO_SCHEMA to a name that is free';
  end if;
end $$`,
    /* sql */ `create table ${schema}.migrations (
  id int primary key,
  name text not null,
  applied_at timestamptz(3) not null default now()
)`
  ]
}

/** Records a migration as applied. */
export const record = (schema: QuotedSchema, { id, name }: { readonly id: number; readonly name: string }) =>
  /* sql */ `insert into ${schema}.migrations (id, name) values (${id}, '${name}')`

/** Statements that force row-level security and create the policy on each table that lacks it. */
export const policies = (s: QuotedSchema): ReadonlyArray<string> =>
  ownedTables.map(({ name, owner }) => {
    const isOwn = `${owner} = nullif(current_setting('todo.user_id', true), '')`
    return /* sql */ `do $$ begin
  if not (select relrowsecurity and relforcerowsecurity from pg_class where oid = '${s}.${name}'::regclass) then
    alter table ${s}.${name} enable row level security, force row level security;
  end if;
  if not exists (select from pg_policy where polrelid = '${s}.${name}'::regclass and polname = 'own_rows') then
    create policy own_rows on ${s}.${name} for all using (${isOwn}) with check (${isOwn});
  end if;
end $$`
  })

/** Creates the role if it does not exist. Roles are shared by all databases, so a concurrent `up` may create it as well. */
export const createRole = (name: string) => /* sql */ `do $role$ begin
  if not exists (select from pg_roles where rolname = '${name.replaceAll("'", "''")}') then
    create role ${quoted(name)} login;
  end if;
exception when duplicate_object or unique_violation then null;
end $role$`

/** The grants of the runtime role. They are rights on rows and functions; the role cannot change tables. */
export const grants = (schemaName: string, role: string): ReadonlyArray<string> => {
  const schema = quote(schemaName)
  const to = `to ${quoted(role)}`
  const tables = Map.groupBy(Object.keys(rights), (table) => rights[table]?.join(", ") ?? "")
  return [
    `grant usage on schema ${schema} ${to}`,
    ...[...tables].flatMap(([allowed, names]) =>
      allowed === "" ? [] : [`grant ${allowed} on ${names.map((name) => `${schema}.${name}`).join(", ")} ${to}`]
    ),
    `grant execute on all functions in schema ${schema} ${to}`
  ]
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
