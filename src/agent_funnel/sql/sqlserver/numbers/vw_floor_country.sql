/*
The country of the recorded rules, in two letters; '' without one. A program whose settings name a country has that one
instead.
*/
DROP VIEW IF EXISTS dbo.floor_country;
GO

CREATE VIEW dbo.floor_country
AS
SELECT
    COALESCE(
        (
            SELECT TOP (1) CASE WHEN LEN(r.value) = 2 THEN UPPER(r.value) ELSE '' END
            FROM dbo.floor_rule AS r
            WHERE r.name = 'country'
            ORDER BY r.rule_id DESC
        ),
        ''
    ) AS country;
GO
