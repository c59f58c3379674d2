"""The reader of plans, on a plan as Microsoft's engine writes one."""

from __future__ import annotations

from support.microsoft import Access, accesses

# A join of a temporary table, a seek in two threads, a scan, which counts no rows read, a scan that never ran, and a
# table of the server.
PLAN = """
<ShowPlanXML xmlns="http://schemas.microsoft.com/sqlserver/2004/07/showplan" Version="1.5">
 <BatchSequence><Batch><Statements><StmtSimple><QueryPlan>
  <RelOp NodeId="0" PhysicalOp="Nested Loops" LogicalOp="Left Outer Join">
   <RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="40"/></RunTimeInformation>
   <NestedLoops Optimized="0">
    <RelOp NodeId="1" PhysicalOp="Table Scan">
     <RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="7" ActualExecutions="1"/></RunTimeInformation>
     <TableScan><Object Database="[tempdb]" Schema="[dbo]" Table="[#room]"/></TableScan>
    </RelOp>
    <RelOp NodeId="2" PhysicalOp="Clustered Index Seek" LogicalOp="Clustered Index Seek">
     <RunTimeInformation>
      <RunTimeCountersPerThread Thread="1" ActualRows="20" ActualRowsRead="22" ActualExecutions="1"/>
      <RunTimeCountersPerThread Thread="2" ActualRows="20" ActualRowsRead="20" ActualExecutions="1"/>
     </RunTimeInformation>
     <IndexScan Ordered="1"><Object Database="[t]" Schema="[dbo]" Table="[wafunnel]" Index="[pk_wafunnel]"/></IndexScan>
    </RelOp>
    <RelOp NodeId="3" PhysicalOp="Index Scan">
     <RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="9" ActualExecutions="1"/></RunTimeInformation>
     <IndexScan><Object Database="[t]" Schema="[dbo]" Table="[assignment_run]"/></IndexScan>
    </RelOp>
    <RelOp NodeId="4" PhysicalOp="Clustered Index Scan">
     <RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="0" ActualExecutions="0"/></RunTimeInformation>
     <IndexScan><Object Database="[t]" Schema="[dbo]" Table="[wafunnel]"/></IndexScan>
    </RelOp>
    <RelOp NodeId="5" PhysicalOp="Clustered Index Seek">
     <RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="1" ActualExecutions="1"/></RunTimeInformation>
     <IndexScan><Object Database="[mssqlsystemresource]" Schema="[sys]" Table="[sysobjvalues]"/></IndexScan>
    </RelOp>
   </NestedLoops>
  </RelOp>
 </QueryPlan></StmtSimple></Statements></Batch></BatchSequence>
</ShowPlanXML>
"""


def test_a_plan_is_read_as_its_accesses_to_tables_with_the_rows_that_each_read() -> None:
    assert accesses(PLAN) == [
        Access("wafunnel", "Clustered Index Seek", 42),
        Access("assignment_run", "Index Scan", 9),
    ]
