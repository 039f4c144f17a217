/**
 * Order keys, compared byte by byte. A key has an integer part, whose first letter says how long it is
 * ("a1" < "af" < "b10"), and a fraction of hexadecimal digits that does not end in 0.
 *
 * The integer part comes from the user's revision, which only grows. A row that goes to the end gets a key above all
 * others, a row that goes to the start a key below all others ("Ze" > "Z0" > "Yef"), without reading another row. Only a
 * move between two neighbours makes a key longer: by one digit for every four moves into the same gap.
 */
export const positions = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.last_position(revision bigint) returns text language sql immutable as $$
  select chr(96 + length(to_hex(revision))) || to_hex(revision)
$$`,

  /* sql */ `create or replace function ${s}.first_position(revision bigint) returns text language sql immutable as $$
  select chr(91 - length(to_hex(revision))) || translate(to_hex(revision), '0123456789abcdef', 'fedcba9876543210')
$$`,

  // The number of characters of the integer part.
  /* sql */ `create or replace function ${s}.position_width(key text) returns int language sql immutable as $$
  select 1 + case when ascii(key) < ascii('a') then 91 - ascii(key) else ascii(key) - 96 end
$$`,

  // Expects low < high. Follows the common digits. If the next digits differ by more than one, a digit between them ends
  // the key, and it is never 0. If they differ by one, any longer key below the lower digit is right, and high is no
  // bound any more.
  /* sql */ `create or replace function ${s}.position_between(low text, high text) returns text language plpgsql immutable as $$
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

  // The place-th of total keys with the same integer part, at even distances. It has one digit more than total, so that
  // no two keys are equal and every gap has room again.
  /* sql */ `create or replace function ${s}.position_spread(whole text, place bigint, total bigint) returns text
language sql immutable as $$
  select whole || rtrim(lpad(to_hex(place * (16::numeric ^ digits)::bigint / (total + 1)), digits, '0'), '0')
  from (select length(to_hex(total)) + 1) width (digits)
$$`,

  // The key of a row that moves between two neighbours (null at an end). A row that is there already keeps its key.
  /* sql */ `create or replace function ${s}.position_for(current text, low text, high text, revision bigint) returns text
language sql immutable as $$
  select case
    when (low is null or current collate "C" > low) and (high is null or current collate "C" < high) then current
    when high is null then ${s}.last_position(revision)
    when low is null then ${s}.first_position(revision)
    else ${s}.position_between(low, high)
  end
$$`
]
