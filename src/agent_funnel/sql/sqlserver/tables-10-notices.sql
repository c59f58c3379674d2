/*
The tables of version 10: the notices of the schedule. Frozen once shipped; new tables only.
*/

-- Notices that people get once for a business date, whichever copy of the service finds the reason first. kind is
-- forecast: as things stood, the run of the date would not deal. noted_by is the copy that sent it.
IF OBJECT_ID(N'dbo.schedule_notice') IS NULL
    CREATE TABLE dbo.schedule_notice (
        business_date DATE NOT NULL,
        kind VARCHAR(20) NOT NULL,
        noted_at DATETIME2(3) NOT NULL,
        noted_by NVARCHAR(255) NOT NULL,
        CONSTRAINT pk_schedule_notice PRIMARY KEY (business_date, kind)
    );
GO
