// A worker of Conductor's own JavaScript SDK, unmodified, and a workflow that it works for.
//
// Beside a suite that runs (`podium up`), with `npm install --legacy-peer-deps @io-orkes/conductor-javascript`:
//
//     export CONDUCTOR_SERVER_URL=http://127.0.0.1:8081/api
//     export CONDUCTOR_AUTH_KEY=… CONDUCTOR_AUTH_SECRET=…    # podium access-keys create admin
//     node conductor_worker.mjs Ada

import { ConductorWorkflow, OrkesClients, TaskManager, simpleTask } from "@io-orkes/conductor-javascript";

const logger = { debug() {}, info() {}, warn: console.warn, error: console.error };
const clients = await OrkesClients.from({ logger });

const greet = {
  taskDefName: "greet_js",
  execute: async ({ inputData }) => ({
    status: "COMPLETED",
    outputData: { result: `Hello ${inputData.name}` },
  }),
};

await clients.getMetadataClient().registerTask({ name: "greet_js", retryCount: 3 });
const workflow = new ConductorWorkflow(clients.getWorkflowClient(), "greetings_js")
  .add(simpleTask("greet", "greet_js", { name: "${workflow.input.name}" }))
  .outputParameters({ greeting: "${greet.output.result}" });
await workflow.register(true);

const workers = new TaskManager(clients.getClient(), [greet], { logger });
workers.startPolling();
const run = await workflow.execute({ name: process.argv[2] ?? "you" });
console.log(run.output.greeting);
await workers.stopPolling();
clients.getClient().stopBackgroundRefresh(); // of the token
