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
            SELECT TOP (1) CASE WHEN LEN(o.value) = 2 THEN UPPER(o.value) ELSE '' END
            FROM dbo.floor_rule AS o
            WHERE o.name = 'country'
            ORDER BY o.rule_id DESC
        ),
        ''
    ) AS country;
GO
