// A session of tedious, the driver of Node.js: reads batches of T-SQL as JSON, prints the answer of each as JSON.
// NODE_PATH names the directory of its modules; see support/clients.py.
"use strict";

const { Connection, Request } = require("tedious");

const text = (value) => (value === null ? null : value instanceof Date ? value.toISOString() : String(value));

function run(connection, send) {
  return new Promise((resolve) => {
    const answer = { sets: [], errors: [] };
    const request = new Request("", (error) => {
      for (const each of error ? error.errors ?? [error] : []) {
        answer.errors.push({ number: each.number ?? null, message: each.message });
      }
      resolve(answer);
    });
    request.on("columnMetadata", (columns) => {
      answer.sets.push({ names: columns.map((column) => column.colName), rows: [] });
    });
    request.on("row", (row) => {
      answer.sets[answer.sets.length - 1].rows.push(row.map((column) => text(column.value)));
    });
    send(request);
  });
}

function batch(connection, words) {
  return run(connection, (request) => {
    request.sqlTextOrProcedure = words;
    connection.execSqlBatch(request);
  });
}

// The driver's own way of beginning a transaction, a message of the protocol instead of a statement.
function begin(connection) {
  return new Promise((resolve) => {
    connection.beginTransaction((error) => {
      resolve({ sets: [], errors: error ? [{ number: error.number ?? null, message: error.message }] : [] });
    });
  });
}

async function main() {
  const order = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const connection = new Connection({
    server: order.server,
    authentication: { type: "default", options: { userName: order.user, password: order.password } },
    options: {
      port: Number(order.port),
      database: order.database,
      encrypt: false,
      trustServerCertificate: true,
      requestTimeout: 120000,
    },
  });
  await new Promise((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  const answers = [];
  if (!order.autocommit) {
    await begin(connection);
  }
  for (const words of order.batches) {
    answers.push(await batch(connection, words));
  }
  connection.close();
  process.stdout.write(JSON.stringify(answers));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
