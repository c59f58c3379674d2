-- Numbers: the match keys, which tell whether two spellings are the same number.
--
-- A number is kept as it was written. Its key, for the country of the sales floor, is computed here and kept in
-- number_key, so that the numbers of a key are found by an index. Whoever needs the keys of numbers that are not kept
-- yet puts them into `unkeyed`, includes `_match_keys` and reads `keyed`.

-- name: _match_keys
-- `keyed`: the match key of each number of `unkeyed`, for the country :country ('' or 'none' = none; NULL = the
-- recorded one). It is the digits of the number with its country's code, or, of a text that is no phone number, the
-- text.
--
-- Digits, perhaps with plus signs before them, are the usual spelling. They are spared the many steps.
spelled AS MATERIALIZED (
    SELECT
        u.number,
        u.number NOT GLOB '*[^+0-9]*' AND ltrim(u.number, '+') NOT GLOB '*+*' AND instr(u.number, char(0)) = 0 AS is_usual
    FROM unkeyed AS u
),

-- Blanks around the others go, and what programs put before and after them; `o` stands for a zero in brackets, which
-- people write where it is dialled within the country only. No number that has an o of its own is a phone number.
trimmed AS MATERIALIZED (
    SELECT
        s.number,
        trim(
            s.number,
            char(
                9, 10, 11, 12, 13, 32, 160, 8192, 8193, 8194, 8195, 8196, 8197, 8198,
                8199, 8200, 8201, 8202, 8232, 8233, 8239, 12288
            )
        ) AS trimmed
    FROM spelled AS s
    WHERE NOT s.is_usual
),

stripped AS MATERIALIZED (
    SELECT
        r.number,
        r.trimmed,
        CASE
            WHEN r.trimmed GLOB 'tel:*' THEN substr(r.trimmed, 5)
            WHEN r.trimmed GLOB 'p:*' THEN substr(r.trimmed, 3)
            WHEN r.trimmed GLOB 'whatsapp:*' THEN substr(r.trimmed, 10)
            WHEN r.trimmed GLOB '''*' THEN substr(r.trimmed, 2)
            ELSE r.trimmed
        END AS stripped
    FROM trimmed AS r
),

bare AS MATERIALIZED (
    SELECT
        t.number,
        t.trimmed,
        CASE
            WHEN t.stripped GLOB '*@s.whatsapp.net' THEN substr(t.stripped, 1, length(t.stripped) - 15)
            WHEN t.stripped GLOB '*@c.us' THEN substr(t.stripped, 1, length(t.stripped) - 5)
            ELSE t.stripped
        END AS bare
    FROM stripped AS t
),

-- Blanks, characters without a width and brackets go; what is left begins with the plus sign, if there is one.
opened AS MATERIALIZED (
    SELECT
        c.number,
        c.trimmed,
        c.bare,
        replace(replace(replace(replace(replace(replace(replace(replace(replace(
        replace(replace(replace(replace(replace(replace(replace(
            c.opened
        , char(8236), ''), char(8237), ''), char(8238), ''), char(8288), ''), char(8289), '')
        , char(8290), ''), char(8291), ''), char(8292), ''), char(8293), ''), char(8294), '')
        , char(8295), ''), char(8296), ''), char(8297), ''), char(65279), ''), char(40), ''), char(41), '') AS opened
    FROM (
        SELECT
            d.number,
            d.trimmed,
            d.bare,
            replace(replace(replace(replace(replace(replace(replace(replace(replace(
            replace(replace(replace(replace(replace(replace(
                d.opened
            , char(8200), ''), char(8201), ''), char(8202), ''), char(8232), ''), char(8233), '')
            , char(8239), ''), char(12288), ''), char(173), ''), char(8203), ''), char(8204), '')
            , char(8205), ''), char(8206), ''), char(8207), ''), char(8234), ''), char(8235), '') AS opened
        FROM (
            SELECT
                b.number,
                b.trimmed,
                b.bare,
                replace(replace(replace(replace(replace(replace(replace(replace(replace(
                replace(replace(replace(replace(replace(replace(
                    replace(b.bare, '(0)', 'o')
                , char(9), ''), char(10), ''), char(11), ''), char(12), ''), char(13), ''), char(32), '')
                , char(160), ''), char(8192), ''), char(8193), ''), char(8194), ''), char(8195), '')
                , char(8196), ''), char(8197), ''), char(8198), ''), char(8199), '') AS opened
            FROM bare AS b
        ) AS d
    ) AS c
),

-- The other separators go.
closed AS MATERIALIZED (
    SELECT s.number, CAST(s.number AS TEXT) AS trimmed, ltrim(s.number, '+') AS flat, s.number GLOB '+*' AS plus
    FROM spelled AS s
    WHERE s.is_usual
    UNION ALL
    SELECT
        o.number,
        o.trimmed,
        replace(replace(replace(replace(replace(replace(replace(replace(replace(
        replace(
            CASE WHEN instr(o.bare, 'o') > 0 OR instr(o.bare, char(0)) > 0 THEN 'no phone number' ELSE o.opened END
        , char(43), ''), char(45), ''), char(46), ''), char(47), ''), char(8208), ''), char(8209), '')
        , char(8210), ''), char(8211), ''), char(8212), ''), char(8213), '') AS flat,
        o.opened GLOB '+*' AS plus
    FROM opened AS o
),

-- A number is international if it begins with a plus sign or 00.
flat AS MATERIALIZED (
    SELECT
        p.number,
        p.trimmed,
        p.flat,
        p.plus,
        replace(p.flat, 'o', '0') AS digits,
        p.plus OR replace(p.flat, 'o', '0') GLOB '00*' AS international
    FROM closed AS p
),

-- An international number loses the zero in brackets, except in Italy, where it is dialled from abroad as well, and the
-- 00. Without 8 to 15 digits it is no phone number.
phone AS MATERIALIZED (
    SELECT
        v.number,
        v.trimmed,
        v.international,
        CASE
            WHEN v.dialled NOT GLOB '*[^0-9]*' AND length(v.dialled) BETWEEN 8 AND 15 THEN v.dialled
        END AS digits
    FROM (
        SELECT
            w.number,
            w.trimmed,
            w.international,
            CASE WHEN w.international AND w.dialled GLOB '00*' THEN substr(w.dialled, 3) ELSE w.dialled END AS dialled
        FROM (
            SELECT
                f.number,
                f.trimmed,
                f.international,
                CASE
                    WHEN f.international AND NOT (f.digits GLOB '0039*' OR (f.plus AND f.digits GLOB '39*'))
                        THEN replace(f.flat, 'o', '')
                    ELSE f.digits
                END AS dialled
            FROM flat AS f
        ) AS w
    ) AS v
),

-- Countries: the calling code, the fewest and the most digits of a national number, and the prefix that is dialled
-- before it within the country.
country (name, code, fewest, most, trunk) AS (
    VALUES
    ('BR', '55', 10, 11, '0'), ('MX', '52', 10, 10, ''), ('AR', '54', 10, 10, '0'), ('US', '1', 10, 10, '1'),
    ('CA', '1', 10, 10, '1'), ('DE', '49', 7, 11, '0'), ('GB', '44', 9, 10, '0'), ('ES', '34', 9, 9, ''),
    ('PT', '351', 9, 9, ''), ('FR', '33', 9, 9, '0'), ('IT', '39', 6, 11, ''), ('RU', '7', 10, 10, '8')
),

-- That of the sales floor, if it has one.
here AS MATERIALIZED (
    SELECT c.code, c.fewest, c.most, c.trunk
    FROM country AS c
    WHERE c.name = upper(coalesce(:country, (SELECT f.country FROM floor_country AS f)))
),

-- A national number gets the code of the country.
whole AS MATERIALIZED (
    SELECT
        p.number,
        p.trimmed,
        CASE
            WHEN p.international OR c.code IS NULL THEN p.digits
            WHEN
                substr(p.digits, 1, length(c.code)) = c.code
                AND length(p.digits) - length(c.code) BETWEEN c.fewest AND c.most
                THEN p.digits
            WHEN
                c.trunk <> '' AND substr(p.digits, 1, length(c.trunk)) = c.trunk
                AND length(p.digits) - length(c.trunk) BETWEEN c.fewest AND c.most
                THEN c.code || substr(p.digits, length(c.trunk) + 1)
            WHEN length(p.digits) BETWEEN c.fewest AND c.most THEN c.code || p.digits
            ELSE p.digits
        END AS digits
    FROM phone AS p
    LEFT JOIN here AS c ON TRUE
),

keyed AS (
    SELECT
        w.number,
        -- include: _national_key
        AS match_key
    FROM whole AS w
)

-- name: _national_key
-- The match key of `w`, with its digits, or without digits if it is no phone number. Three countries write one number in
-- two ways: Brazil's mobile numbers without the ninth digit, and those of Mexico and Argentina with a digit that only
-- calls from abroad have.
CASE
    WHEN w.digits IS NULL THEN w.trimmed
    WHEN w.digits GLOB '55??9[6-9]???????' THEN substr(w.digits, 1, 4) || substr(w.digits, 6)
    WHEN w.digits GLOB '521??????????' THEN '52' || substr(w.digits, 4)
    WHEN w.digits GLOB '549??????????' THEN '54' || substr(w.digits, 4)
    ELSE w.digits
END

-- name: match_key
-- The match key of a number.
WITH unkeyed AS (SELECT :number AS number),

-- include: _match_keys

SELECT k.match_key FROM keyed AS k;

-- name: _not_kept
-- The numbers of leads and of the do-not-contact list whose match key is not kept; with :with_history = 1 also those of
-- the history, which an older version of the tables has without keys.
SELECT w.number
FROM wafunnel AS w
WHERE trim(w.number) <> ''
    AND NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = w.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
UNION
SELECT d.number
FROM do_not_contact_entry AS d
WHERE NOT EXISTS (
    SELECT 1 FROM number_key AS k WHERE k.number = d.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
)
UNION
SELECT h.number
FROM assignment_history AS h
WHERE :with_history = 1
    AND NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = h.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )

-- name: are_numbers_new
-- Whether there are numbers whose match key is not kept.
SELECT EXISTS (
    -- include: _not_kept
) AS are_new;

-- name: take_in_numbers
-- Keeps the match keys of up to :most numbers that have none yet; returns how many there were.
INSERT INTO number_key (country, number, match_key, ending)
WITH unkeyed AS (
    SELECT n.number
    FROM (
        -- include: _not_kept
    ) AS n
    LIMIT :most
),

-- include: _match_keys

SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f)), k.number, k.match_key, substr(k.match_key, -4) FROM keyed AS k
WHERE TRUE;

SELECT changes() AS taken_in;

-- name: numbers_ending
-- Up to :most numbers whose match key ends with :digits, of which there are at least four, with their keys.
SELECT k.number, k.match_key
FROM number_key AS k
WHERE k.ending = substr(:digits, -4) AND substr(k.match_key, -length(:digits)) = :digits
    AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
ORDER BY k.number
LIMIT :most;

-- name: _alike
-- Up to :most pairs of a number of `sought` and a stored number whose other match key, without a country, has the same
-- last eight characters; and whether the stored one is a lead, and on a do-not-contact list. It reads the stored keys
-- once from end to end, however many numbers are sought. Where the sales floor has a country, there are no such pairs.
CREATE INDEX temp.sought_by_tail ON sought (tail, match_key);

SELECT
    s.match_key AS sought_key, k.number, k.match_key,
    k.number IN (SELECT w.number FROM wafunnel AS w) AS is_lead,
    k.number IN (SELECT d.number FROM do_not_contact_entry AS d) AS is_listed
FROM number_key AS k
CROSS JOIN temp.sought AS s ON s.tail = substr(k.match_key, -8)
WHERE k.country = '' AND k.match_key <> s.match_key
    AND coalesce(:country, (SELECT f.country FROM floor_country AS f)) = ''
ORDER BY s.match_key, k.number
LIMIT :most;

-- name: leads_alike
-- traits: read-only
-- Pairs of a staged lead of an import that is not there yet, in any spelling, and a stored number that ends alike.
CREATE TEMP TABLE sought AS
SELECT s.match_key, substr(s.match_key, -8) AS tail
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM temp.staged_there AS t WHERE t.line = s.line);

-- include: _alike

-- name: numbers_alike
-- traits: read-only
-- Pairs of a staged number of a do-not-contact file and a stored number that ends alike.
CREATE TEMP TABLE sought AS
SELECT n.match_key, substr(n.match_key, -8) AS tail FROM temp.named_once AS n;

-- include: _alike

-- name: still_called
-- traits: read-only
-- Up to :most stored numbers on no list whose match key, without a country, ends like that of one of several numbers,
-- each with that key and with the agent who has it now. Where the sales floor has a country, there are none.
-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

SELECT
    n.match_key AS sought_key, k.number, k.match_key,
    (SELECT min(a.agent) FROM agent_wafunnel_assignment AS a WHERE a.number = k.number COLLATE BINARY) AS agent
FROM temp.named_once AS n
CROSS JOIN number_key AS k
    ON k.ending = substr(n.match_key, -4) AND substr(k.match_key, -8) = substr(n.match_key, -8)
WHERE k.country = '' AND k.match_key <> n.match_key
    AND coalesce(:country, (SELECT f.country FROM floor_country AS f)) = ''
    AND NOT EXISTS (SELECT 1 FROM suppressed_number AS d WHERE d.number = k.number AND d.country IN ('*', ''))
ORDER BY n.match_key, k.number
LIMIT :most;

-- name: _suppressed_numbers
-- The numbers that must not be dealt in the present country: those of `suppressed_number`, and those of forgotten people
-- that somebody has stored again. The view has no hashes, so that other programs, which lack the function for them, can
-- read it. A number may come more than once.
SELECT d.number
FROM suppressed_number AS d
WHERE d.country IN ('*', coalesce(:country, (SELECT f.country FROM floor_country AS f)))
UNION ALL
SELECT k.number
FROM forgotten_salt AS s
CROSS JOIN number_key AS k
CROSS JOIN forgotten_number AS f ON f.hash = sha256(s.salt || k.match_key)
WHERE k.country = coalesce(:country, (SELECT c.country FROM floor_country AS c))
    AND (NOT f.only_without_country OR k.country = '')
