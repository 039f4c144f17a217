/**
 * Order keys, compared byte by byte. A key is an integer part, whose first letter tells
 * its length ("a1" < "af" < "b10"), and a fraction of hexadecimal digits that does not
 * end in 0.
 *
 * The integer parts come from the user's revision, which only grows: a row that is put
 * last gets a key above all there are, a row that is put first one below all
 * ("Ze" > "Z0" > "Yef"), without a look at any other row. Only a move between two
 * neighbours makes a key longer, by a digit for every four moves into one gap.
 */
export const positions = (s: string): ReadonlyArray<string> => [
  `create function ${s}.last_position(revision bigint) returns text language sql immutable as $$
  select chr(96 + length(to_hex(revision))) || to_hex(revision)
$$`,

  `create function ${s}.first_position(revision bigint) returns text language sql immutable as $$
  select chr(91 - length(to_hex(revision))) || translate(to_hex(revision), '0123456789abcdef', 'fedcba9876543210')
$$`,

  // Takes low < high. Walks down the common digits; where they part by more than one, the
  // digit between ends the key, and it is never 0. Where they part by one, any longer key
  // under the lower digit will do: high no longer binds.
  `create function ${s}.position_between(low text, high text) returns text language plpgsql immutable as $$
declare
  digits constant text := '0123456789abcdef';
  width constant int := ${s}.position_width(low);
  bounded boolean := left(low, width) = left(high, width);
  made text := left(low, width);
  at int := width;
  floor int;
  ceiling int;
begin
  loop
    at := at + 1;
    floor := greatest(strpos(digits, nullif(substr(low, at, 1), '')) - 1, 0);
    ceiling := case when bounded then greatest(strpos(digits, nullif(substr(high, at, 1), '')) - 1, 0) else 16 end;
    if ceiling - floor > 1 then
      return made || substr(digits, (floor + ceiling) / 2 + 1, 1);
    end if;
    made := made || substr(digits, floor + 1, 1);
    bounded := bounded and floor = ceiling;
  end loop;
end
$$`,

  // How many characters the integer part has.
  `create function ${s}.position_width(key text) returns int language sql immutable as $$
  select 1 + case when ascii(key) < ascii('a') then 91 - ascii(key) else ascii(key) - 96 end
$$`,

  // The place-th of total keys with one integer part, at even distances: as many digits as
  // total has and one more, so that no two are the same and each gap has room again.
  `create function ${s}.position_spread(whole text, place bigint, total bigint) returns text
language sql immutable as $$
  select whole || rtrim(lpad(to_hex(place * (16::numeric ^ digits)::bigint / (total + 1)), digits, '0'), '0')
  from (select length(to_hex(total)) + 1) width (digits)
$$`,

  // Where a row goes that is moved between its new neighbours, null at an end. It stays where it is there already.
  `create function ${s}.position_for(current text, low text, high text, revision bigint) returns text
language sql immutable as $$
  select case
    when (low is null or current collate "C" > low) and (high is null or current collate "C" < high) then current
    when high is null then ${s}.last_position(revision)
    when low is null then ${s}.first_position(revision)
    else ${s}.position_between(low, high)
  end
$$`
]

/** Longest key that a move may leave behind; beyond it, the rows of its gap are spread over it evenly. */
const longest = 64

/**
 * The part of a write function that moves `next` in its table: before or after the row
 * that the operation names, trashed rows counted as neighbours since they have keys, too.
 */
export const move = (s: string, table: "todos" | "lists", missing: string) => `
    select position into anchor from ${s}.${table}
    where owner_id = me and id = coalesce(op->>'before', op->>'after')::uuid and deleted_at is null;
    if not found then return ${s}.failed('${missing}'); end if;
    if op ? 'after' then
      low := anchor;
      select min(position) into high from ${s}.${table} where owner_id = me and position > anchor and id <> was.id;
    else
      select max(position) into low from ${s}.${table} where owner_id = me and position < anchor and id <> was.id;
      high := anchor;
    end if;
    if anchor <> was.position then
      next.position := ${s}.position_for(was.position, low, high, step);
    end if;
    if length(next.position) > ${longest} then
      low := left(next.position, ${s}.position_width(next.position));
      update ${s}.${table} set
        position = ${s}.position_spread(low, place, total), revision = step - 1 + place, updated_at = moment
      from (
        select id as moved, count(*) over () as total, row_number() over (
          order by (case when id = was.id then next.position else position end) collate "C"
        ) as place
        from ${s}.${table}
        where owner_id = me and (id = was.id or position >= low and position < low || 'g')
      ) places
      where owner_id = me and id = moved;
      get diagnostics steps = row_count;
      select * into next from ${s}.${table} where owner_id = me and id = was.id;
      return ${s}.done(steps, ${s}.${table === "todos" ? "todo" : "list"}_json(next));
    end if;`
