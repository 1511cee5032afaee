// What Conductor's own JavaScript client does against a server, for the tests to look at.
//
// Prints one JSON object: by the name of each story what came of it, {"told": …} or {"error": …}.
// Where the server is, and the key, are in the environment (CONDUCTOR_SERVER_URL, …_AUTH_KEY,
// …_AUTH_SECRET), as the client itself has it.

import {
  ConductorWorkflow,
  NonRetryableException,
  OrkesClients,
  TaskHandler,
  TaskManager,
  httpTask,
  simpleTask,
  switchTask,
  waitTaskDuration,
  worker,
} from "@io-orkes/conductor-javascript";

const quiet = { info() {}, debug() {}, warn() {}, error() {} };
const clients = await OrkesClients.from({ logger: quiet });
const workflows = clients.getWorkflowClient();
const metadata = clients.getMetadataClient();
const tasks = clients.getTaskClient();

const held = (ref) => ({ name: ref, taskReferenceName: ref, type: "WAIT", inputParameters: {} });

// A workflow of these tasks, registered.
async function registered(name, ...steps) {
  const flow = new ConductorWorkflow(workflows, name, 1).timeoutSeconds(0);
  for (const step of steps) flow.add(step);
  await flow.register(true);
  return flow;
}

// The execution, once `holds` of it.
async function until(id, holds, tries = 200) {
  for (let n = 0; n < tries; n++) {
    const execution = await workflows.getExecution(id, true);
    if (holds(execution)) return execution;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${id} is not as it should be`);
}

const ended = (id) => until(id, ({ status }) => !["RUNNING", "PAUSED"].includes(status));

// Whether it is refused: of an answer that is an error the client tells its words, not its status.
async function refused(call) {
  try {
    await call();
  } catch (error) {
    return error.name === "[Conductor SDK Error]";
  }
  return false;
}

const stories = {
  async definitions() {
    const flow = await registered("js_defined", held("held"));
    const definition = { ...flow.toWorkflowDef(), description: "again" };
    const twice = await refused(() => metadata.registerWorkflowDef(definition, false));
    await metadata.registerWorkflowDef(definition, true);
    await metadata.registerTask({ name: "js_task", retryCount: 1 });
    await metadata.updateTask({ name: "js_task", retryCount: 4 });
    const read = await metadata.getWorkflowDef("js_defined", 1);
    const told = {
      twice,
      description: read.description,
      retryCount: (await metadata.getTask("js_task")).retryCount,
      listed: (await metadata.getAllWorkflowDefs()).some(({ name }) => name === "js_defined"),
    };
    await metadata.unregisterTask("js_task");
    await metadata.unregisterWorkflow("js_defined", 1);
    return { ...told, gone: await refused(() => metadata.getWorkflowDef("js_defined", 1)) };
  },

  async builders() {
    await registered(
      "js_built",
      httpTask("called", { uri: "http://127.0.0.1:9/", method: "GET" }),
      switchTask("either", "${workflow.input.kind}", { a: [waitTaskDuration("short", "1s")] }),
    );
    const { tasks: steps } = await metadata.getWorkflowDef("js_built", 1);
    return steps.map(({ type }) => type);
  },

  async starts() {
    await registered("js_started", held("held"));
    const id = await workflows.startWorkflow({
      name: "js_started", version: 1, input: { n: 1 }, correlationId: "js-order",
    });
    const byName = await workflows.startWorkflowByName("js_started", { n: 2 }, 1, "js-order");
    const execution = await workflows.getExecution(id, true);
    const found = await workflows.getByCorrelationIds(
      { correlationIds: ["js-order"], workflowNames: ["js_started"] },
    );
    return {
      different: id !== byName,
      input: execution.input,
      status: (await workflows.getWorkflowStatus(id, true, true)).status,
      found: found["js-order"].length,
      missing: await refused(() => workflows.startWorkflow({ name: "js_nowhere", input: {} })),
    };
  },

  async workers() {
    await metadata.registerTasks([
      { name: "js_greet", retryCount: 0, retryDelaySeconds: 0 },
      { name: "js_never", retryCount: 3, retryDelaySeconds: 0 },
    ]);
    const flow = await registered("js_greets", simpleTask("greet", "js_greet", { name: "${workflow.input.name}" }));
    flow.outputParameters({ result: "${greet.output.result}" });
    await flow.register(true);
    await registered("js_nevers", simpleTask("never", "js_never", {}));
    worker({ taskDefName: "js_greet", concurrency: 5 })(async ({ inputData }) => ({
      status: "COMPLETED", outputData: { result: `Hello ${inputData.name}` },
    }));
    worker({ taskDefName: "js_never" })(async () => {
      throw new NonRetryableException("Not ever.");
    });
    const handler = new TaskHandler({ client: clients.getClient(), scanForDecorated: true, logger: quiet });
    await handler.startWorkers();
    try {
      const run = await flow.execute({ name: "Ada" });
      const names = [...Array(10).keys()].map(String);
      const ids = await Promise.all(names.map((name) => flow.startWorkflow({ name })));
      const all = await Promise.all(ids.map(ended));
      const never = await ended(await workflows.startWorkflow({ name: "js_nevers", version: 1, input: {} }));
      return {
        run: run.output.result,
        all: all.map(({ output }) => output.result),
        never: [never.status, ...never.tasks.map(({ status }) => status)],
      };
    } finally {
      await handler.stopWorkers();
    }
  },

  async manager() {
    const flow = await registered("js_managed", simpleTask("step", "js_step", {}));
    const step = {
      taskDefName: "js_step",
      domain: "js",
      execute: async () => ({ status: "COMPLETED", outputData: { by: "a manager" } }),
    };
    const manager = new TaskManager(clients.getClient(), [step], {
      logger: quiet, options: { pollInterval: 100, concurrency: 2 },
    });
    manager.startPolling();
    try {
      const id = await flow.startWorkflow({}, undefined, 0, undefined, undefined, { js_step: "js" });
      return (await ended(id)).tasks[0].outputData;
    } finally {
      await manager.stopPolling();
    }
  },

  async updates() {
    await registered("js_updated", held("a"), held("b"), held("c"));
    const id = await workflows.startWorkflow({ name: "js_updated", version: 1, input: {} });
    const { tasks: [first] } = await workflows.getExecution(id, true);
    await tasks.addTaskLog(first.taskId, "hello");
    await workflows.updateTask(first.taskId, id, "COMPLETED", { n: 1 });
    await workflows.updateTaskByRefName("b", id, "COMPLETED", { n: 2 });
    await until(id, (execution) => execution.tasks.length === 3);
    // The client wraps the output: what is stored is {"taskOutput": …}, as the client's own server has it.
    const done = await workflows.updateTaskSync("c", id, "COMPLETED", { n: 3 });
    return {
      status: done.status,
      outputs: done.tasks.map(({ outputData }) => (outputData.taskOutput ?? outputData).n),
      logs: (await tasks.getTaskLogs(first.taskId)).map(({ log }) => log),
      task: (await tasks.getTask(first.taskId)).status,
    };
  },

  async states() {
    await registered("js_states", held("a"), held("b"));
    const [id] = await Promise.all(workflows.startWorkflows([{ name: "js_states", version: 1, input: {} }]));
    const run = await workflows.updateState(
      id,
      { taskReferenceName: "a", variables: { seen: 1 }, taskResult: {
        workflowInstanceId: id, taskId: "", status: "COMPLETED", outputData: { n: 1 } } },
      "js-states", "b", 5,
    );
    return [run.variables, run.tasks.map(({ status }) => status)];
  },

  async signals() {
    await registered("js_signalled", held("a"), held("b"), held("c"));
    const request = { name: "js_signalled", version: 1, input: {} };
    const run = await workflows.executeWorkflow(
      request, "js_signalled", 1, "js-request", "", 5, "SYNCHRONOUS", "BLOCKING_TASK",
    );
    const id = run.targetWorkflowId;
    const next = await workflows.signal(id, "COMPLETED", { n: 1 }, "BLOCKING_TASK");
    await workflows.signalAsync(id, "COMPLETED", { n: 2 });
    await until(id, (execution) => execution.tasks.length === 3);
    const last = await workflows.signal(id, "COMPLETED", { n: 3 }, "TARGET_WORKFLOW");
    return [run.referenceTaskName, next.referenceTaskName, last.targetWorkflowStatus];
  },

  async operations() {
    await registered("js_operated", held("first"), held("second"));
    const id = await workflows.startWorkflow({ name: "js_operated", version: 1, input: {} });
    const status = async () => (await workflows.getWorkflowStatus(id, false, false)).status;
    const seen = [];
    await workflows.pause(id);
    seen.push(await status());
    await workflows.resume(id);
    seen.push(await status());
    await workflows.updateVariables(id, { seen: true });
    await workflows.updateTaskByRefName("first", id, "FAILED", {});
    seen.push((await ended(id)).status);
    await workflows.retry(id, false);
    seen.push(await status());
    await workflows.skipTasksFromWorkflow(id, "second", { taskOutput: { skipped: true } });
    await workflows.updateTaskByRefName("first", id, "COMPLETED", {});
    seen.push((await ended(id)).status);
    await workflows.restart(id, false);
    seen.push(await status());
    await workflows.terminate(id, "enough");
    const over = await ended(id);
    seen.push(over.status, over.reasonForIncompletion);
    await workflows.reRun(id, {});
    seen.push(await status());
    await workflows.terminate(id, "enough");
    await workflows.deleteWorkflow(id);
    seen.push(await refused(() => workflows.getExecution(id)));
    return seen;
  },

  async search() {
    await registered("js_found", held("held"));
    const ids = [];
    for (let n = 0; n < 3; n++) {
      ids.push(await workflows.startWorkflow({ name: "js_found", version: 1, input: { n } }));
    }
    const query = "workflowType IN (js_found) AND status IN (RUNNING)";
    const found = await workflows.search(0, 10, query, "*", "startTime:ASC");
    const rows = await tasks.search(0, 10, undefined, "*", "workflowType = js_found");
    return {
      same: found.results.map(({ workflowId }) => workflowId).sort().join() === ids.sort().join(),
      total: found.totalHits,
      tasks: rows.results.length,
    };
  },

  async queues() {
    await registered("js_queued", simpleTask("step", "js_unworked", {}));
    await workflows.startWorkflow({ name: "js_queued", version: 1, input: {} });
    return tasks.getQueueSizeForTask(["js_unworked"]);
  },

  async tested() {
    const flow = await registered("js_tested", simpleTask("step", "js_step", {}));
    const run = await workflows.testWorkflow({
      name: "js_tested", version: 1, input: {}, workflowDef: flow.toWorkflowDef(),
      taskRefToMockOutput: { step: [{ status: "COMPLETED", output: { mocked: true } }] },
    });
    return [run.status, run.tasks[0].outputData];
  },

  async tags() {
    await registered("js_tagged", held("held"));
    await metadata.addWorkflowTag({ key: "team", value: "red" }, "js_tagged");
    await metadata.setWorkflowRateLimit({ rateLimitKey: "k", concurrentExecLimit: 7 }, "js_tagged");
    const limit = await metadata.getWorkflowRateLimit("js_tagged");
    await metadata.removeWorkflowRateLimit("js_tagged");
    return {
      tags: (await metadata.getWorkflowTags("js_tagged")).map(({ key, value }) => [key, value]),
      limit: limit.concurrentExecLimit,
      unlimited: (await metadata.getWorkflowRateLimit("js_tagged")) === undefined,
    };
  },

  async events() {
    const events = clients.getEventClient();
    await registered("js_told", held("held"));
    await registered("js_telling", {
      name: "tell", taskReferenceName: "tell", type: "EVENT", sink: "conductor:js_news", inputParameters: {},
    });
    await events.addEventHandler({
      name: "js_hears", event: "conductor:js_telling:js_news", active: true, condition: "true",
      actions: [{ action: "start_workflow", start_workflow: { name: "js_told", version: 1, input: { heard: true } } }],
    });
    const [handler] = await events.getEventHandlersForEvent("conductor:js_telling:js_news");
    await workflows.startWorkflow({ name: "js_telling", version: 1, input: {} });
    let heard = [];
    for (let n = 0; n < 200 && !heard.length; n++) {
      heard = (await workflows.search(0, 1, "workflowType = js_told", "*")).results;
      await new Promise((done) => setTimeout(done, 50));
    }
    await events.removeEventHandler("js_hears");
    return { handler: handler.name, heard: heard.length };
  },

  async applications() {
    const applications = clients.getApplicationClient();
    const { id } = await applications.createApplication("Made by JavaScript");
    await applications.addApplicationRole(id, "USER_READ_ONLY");
    const key = await applications.createAccessKey(id);
    const keys = await applications.getAccessKeys(id);
    await applications.deleteAccessKey(id, key.id);
    await applications.deleteApplication(id);
    return { same: keys.length === 1 && keys[0].id === key.id, secret: typeof key.secret };
  },

  async others() {
    const schedules = clients.getSchedulerClient();
    const secrets = clients.getSecretClient();
    const schemas = clients.getSchemaClient();
    await schemas.registerSchema([{ name: "js_schema", version: 1, type: "JSON", data: { type: "object" } }]);
    const { data } = await schemas.getSchemaByName("js_schema");
    await schemas.deleteSchemaByName("js_schema");
    await registered("js_scheduled", held("held"));
    await schedules.saveSchedule({
      name: "js_daily",
      cronExpression: "0 0 6 * * ?",
      startWorkflowRequest: { name: "js_scheduled", version: 1, input: {} },
    });
    const { cronExpression } = await schedules.getSchedule("js_daily");
    await schedules.deleteSchedule("js_daily");
    await secrets.putSecret("JS_SECRET", "hush");
    const names = await secrets.listAllSecretNames();
    await secrets.deleteSecret("JS_SECRET");
    return { cronExpression, data, secret: names.includes("JS_SECRET") };
  },
};

const only = process.argv.slice(2);
const names = Object.keys(stories).filter((name) => !only.length || only.includes(name));
const told = await Promise.all(
  names.map(async (name) => {
    try {
      return [name, { told: await stories[name]() }];
    } catch (error) {
      return [name, { error: `${error.stack ?? error} ${JSON.stringify(error.cause ?? "")}` }];
    }
  }),
);
console.log(JSON.stringify(Object.fromEntries(told)));
process.exit(0);
