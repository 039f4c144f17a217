import { storedWords } from "../../todos/SearchWords.ts"

/**
 * The index of search words of a todo.
 *
 * Optimisation: up to 15 words are written by prepared statements of 8, 4, 2 and 1 words, whose plans PL/pgSQL keeps. For an
 * array, PostgreSQL makes a new plan in each call. More words are one statement, because on Citus each statement takes half
 * a millisecond.
 *
 * Gains: 50 µs for each change of words; a description of 10,000 words takes 0.4 s on Citus, and 6 s word by word. Measure
 * with `npm run bench -- "patch if-match" todo`. To do without it, let `add_words` and `remove_words` loop over the array:
 * `foreach word in array words loop insert into ...; end loop`.
 */

/** How many words one prepared statement takes. A title has few, so most writes need one or two of these statements. */
const sizes = [8, 4, 2, 1]

/** Runs `statement` on all of an array of at most 15 words: each size at most once. */
const inParts = (statement: (words: ReadonlyArray<string>) => string) =>
  sizes
    .map((size) => {
      const words = Array.from({ length: size }, (_, n) => `words[at + ${n}]`)
      return `
  if count & ${size} > 0 then
    ${statement(words)}
    at := at + ${size};
  end if;`
    })
    .join("")

export const words = (s: string): ReadonlyArray<string> => [
  // Stores words of a todo, an array without duplicates, and returns their number. The statement for many words has them
  // as literals, because Citus does not send an `insert ... select from unnest` to the machine of the user.
  /* sql */ `create or replace function ${s}.add_words(me text, todo uuid, words text[]) returns int language plpgsql as $$
declare
  count constant int := cardinality(words);
  at int := 1;
begin
  if count > 15 then
    execute 'insert into ${s}.todo_words (owner_id, word, todo_id) values '
      || (select string_agg('($1, ' || quote_literal(word) || ', $2)', ', ') from unnest(words) word) using me, todo;
    return count;
  end if;${inParts(
    (words) => `insert into ${s}.todo_words (owner_id, word, todo_id)
    values ${words.map((word) => `(me, ${word}, todo)`).join(", ")};`
  )}
  return count;
end
$$`,

  // Deletes words of a todo by the whole primary key, and returns their number. The setting is for plans that were made
  // while the table was empty, which a connection keeps: they would read all words of the user.
  /* sql */ `create or replace function ${s}.remove_words(me text, todo uuid, words text[]) returns int
language plpgsql set enable_seqscan = off as $$
declare
  count constant int := cardinality(words);
  at int := 1;
begin
  if count > 15 then
    execute 'delete from ${s}.todo_words where owner_id = $1 and word = any($2) and todo_id = $3' using me, words, todo;
    return count;
  end if;${inParts(
    (words) => `delete from ${s}.todo_words
    where owner_id = me and word ${words.length === 1 ? `= ${words[0]}` : `in (${words.join(", ")})`} and todo_id = todo;`
  )}
  return count;
end
$$`,

  // Updates the search words of a todo whose texts or tags changed, and returns how many words changed. Few words are
  // compared one by one, which needs no executor (11 µs less for a title); of many, `except` compares the sets.
  /* sql */ `create or replace function ${s}.replace_words(me text, todo uuid, was text[], next text[]) returns int language plpgsql as $$
declare
  word text;
  removed text[] := '{}';
  added text[] := '{}';
begin
  if cardinality(was) + cardinality(next) > 60 then
    select array(select unnest(was) except select unnest(next)), array(select unnest(next) except select unnest(was))
    into removed, added;
  else
    foreach word in array was loop
      if word <> all(next) and word <> all(removed) then removed := removed || word; end if;
    end loop;
    foreach word in array next loop
      if word <> all(was) and word <> all(added) then added := added || word; end if;
    end loop;
  end if;
  return ${s}.remove_words(me, todo, removed) + ${s}.add_words(me, todo, added);
end
$$`,

  // All that is stored of a todo among the words: its words, and its tags behind a space, which no word has.
  /* sql */ `create or replace function ${s}.stored_words(t ${s}.todos) returns text[] language plpgsql stable as $$
begin
  if t.tags = '{}' then return t.title_words || t.description_words; end if;
  return ${storedWords("t")};
end
$$`
]
