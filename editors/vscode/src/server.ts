// The server's life: found, started, restarted, stopped; and what is said when it can't be.

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  type ExecuteCommandSignature,
  LanguageClient,
  type Middleware,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";

import { SERVER_COMMANDS, SHOWN_COMMANDS } from "./answers";
import { type Discovery, discover } from "./discover";
import { type Command, END_LIMIT, GivenUp, Process, Restarts, START_LIMIT, STOP_LIMIT, failure, sentence, within } from "./process";
import * as settings from "./settings";
import { KEPT, only } from "./tokens";

/** What is done with the answer of a command that a code lens or code action of the server runs. */
export type Shown = (command: string, args: unknown[], run: () => Promise<unknown>) => Promise<unknown>;

const INSTALL = "How to Install";
const SETTINGS = "Open Settings";
const OUTPUT = "Show Output";
const RESTART = "Restart Server";

/** The library tells of the same mishap up to three times; all of it goes to the output, and `Server` tells once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** A server that was started: who speaks with it, and the process. */
interface Run {
  client: LanguageClient;
  process: Process;
  /** It answers no longer; there is nobody to say goodbye to. */
  closed: boolean;
}

export class Server implements vscode.Disposable {
  readonly output = vscode.window.createOutputChannel("Fly", { log: true });
  private run: Run | undefined;
  private program: string | undefined;
  /** Says to a start that is under way that nobody waits for it any more. */
  private starting = new AbortController();
  private readonly restarts = new Restarts();
  private standIns: vscode.Disposable | undefined;
  /** Starts and stops come one after the other, however fast they are asked for. */
  private queue: Promise<void> = Promise.resolve();
  private readonly status: vscode.LanguageStatusItem;

  constructor(
    private readonly shown: Shown,
    private readonly homepage: string,
  ) {
    this.status = vscode.languages.createLanguageStatusItem("fly.server", { language: "fly" });
    this.status.name = "Fly language server";
    this.status.command = { command: "fly.restartServer", title: "Restart" };
  }

  /** The program that runs, when one was found. */
  get path(): string | undefined {
    return this.program;
  }

  start(): Promise<void> {
    return this.restart();
  }

  restart(): Promise<void> {
    this.restarts.forget();
    return this.again();
  }

  stop(): Promise<void> {
    this.giveUp();
    return this.inTurn(() => this.end());
  }

  private again(): Promise<void> {
    const signal = this.giveUp();
    return this.inTurn(async () => {
      await this.end();
      if (!signal.aborted) {
        await this.launch(signal);
      }
    });
  }

  /** A start under way is not waited for: what comes next in turn comes now. */
  private giveUp(): AbortSignal {
    this.starting.abort();
    this.starting = new AbortController();
    return this.starting.signal;
  }

  private get client(): LanguageClient | undefined {
    return this.run?.client;
  }

  /** Asks the server to run a command. Says so, and gives nothing, when it can't. */
  async command(command: string, args: unknown[]): Promise<unknown> {
    await this.queue;
    const client = this.client;
    if (client?.state !== State.Running) {
      this.offer("The Fly language server isn't running.", RESTART, OUTPUT);
      return undefined;
    }
    if (!this.knows(command)) {
      const version = client.initializeResult?.serverInfo?.version;
      const which = version === undefined ? "This fly-lsp" : `fly-lsp ${version}`;
      this.offer(`${which} doesn't know the command ${command}. Install the version that belongs to this extension.`, INSTALL);
      return undefined;
    }
    try {
      return await client.sendRequest("workspace/executeCommand", { command, arguments: args });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.offer(sentence(why), OUTPUT);
      return undefined;
    }
  }

  knows(command: string): boolean {
    const known = this.client?.initializeResult?.capabilities.executeCommandProvider?.commands;
    return known?.includes(command) ?? false;
  }

  /** Tells the server the settings, and asks for code lenses anew: whether they are shown may have changed. */
  configure(): void {
    const client = this.client;
    if (client?.state !== State.Running) {
      return;
    }
    const told = { [settings.SECTION]: vscode.workspace.getConfiguration(settings.SECTION) };
    void client.sendNotification("workspace/didChangeConfiguration", { settings: told });
    for (const document of vscode.workspace.textDocuments.filter(({ languageId }) => languageId === "fly")) {
      client.getFeature("textDocument/codeLens").getProvider(document)?.onDidChangeCodeLensEmitter.fire();
    }
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.status.dispose();
    this.output.dispose();
  }

  private inTurn(step: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(step, step);
    return this.queue;
  }

  private async launch(signal: AbortSignal): Promise<void> {
    if (!settings.onDisk()) {
      this.program = undefined;
      this.show("none", "reads files on the disk only");
      return;
    }
    const discovery = discover(settings.surroundings());
    if (!discovery.found) {
      this.program = undefined;
      this.missing(discovery);
      return;
    }
    this.program = discovery.program;
    this.output.info(`Found fly-lsp through ${discovery.how}: ${discovery.program}`);
    this.show("busy", "starting");
    const command = {
      program: discovery.program,
      arguments: settings.serverArguments(),
      environment: settings.serverEnvironment(),
      folder: settings.folder(),
    };
    let run: Run | undefined;
    try {
      run = this.prepare(command);
      this.run = run;
      await run.process.spawned;
      await within(run.client.start(), START_LIMIT, signal);
    } catch (error) {
      if (run !== undefined && !(error instanceof GivenUp)) {
        await within(run.process.ended, END_LIMIT).catch(() => undefined);
      }
      const how = run?.process.how;
      await this.end();
      if (!signal.aborted) {
        const why = error instanceof Error ? error.message : String(error);
        const message = failure(command, how, run?.process.lastLine, why);
        this.output.error(message);
        this.show("stopped", "did not start");
        this.offer(message, SETTINGS, OUTPUT, RESTART);
      }
      return;
    }
    this.show("running", run.client.initializeResult?.serverInfo?.version ?? "");
    // Commands the server has are registered by the client. The others answer with what to do.
    const standIns = SERVER_COMMANDS.filter((command) => !this.knows(command));
    this.standIns = vscode.Disposable.from(
      ...standIns.map((command) =>
        vscode.commands.registerCommand(command, (...args: unknown[]) => this.command(command, args)),
      ),
    );
  }

  /** A process, and a client that will speak with it. */
  private prepare(command: Command): Run {
    const process = new Process(command);
    const client = new QuietClient(
      settings.SECTION,
      "Fly",
      () => Promise.resolve(process.child),
      {
        documentSelector: [{ scheme: "file", language: "fly" }],
        outputChannel: this.output,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationOptions: vscode.workspace.getConfiguration(settings.SECTION),
        // Whoever waits for the start tells of it.
        initializationFailedHandler: () => false,
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => {
            run.closed = true;
            if (client.state === State.Running && this.run === run) {
              this.crashed(process);
            }
            return { action: CloseAction.DoNotRestart, handled: true, message: "The server's connection is closed." };
          },
        },
        middleware: this.middleware(),
      },
    );
    const run: Run = { client, process, closed: false };
    client.registerFeature({
      // The server offers lenses only for commands whose answers the editor shows.
      fillClientCapabilities: (capabilities) => {
        const experimental = (capabilities.experimental ?? {}) as Record<string, unknown>;
        capabilities.experimental = { ...experimental, commands: { commands: SHOWN_COMMANDS } };
      },
      initialize: () => undefined,
      getState: () => ({ kind: "static" }),
      clear: () => undefined,
    });
    return run;
  }

  /** A server that ran ended by itself: it is started anew, unless it keeps doing so. */
  private crashed(process: Process): void {
    this.show("stopped", "stopped");
    if (this.restarts.another(Date.now())) {
      this.output.warn("The server ended by itself and is started anew.");
      void this.again();
      return;
    }
    void process.ended.then(() => {
      const said = process.lastLine === undefined ? "" : ` It said: ${process.lastLine}`;
      const how = process.how ?? "ended";
      this.offer(`The Fly language server ${how}, five times within three minutes.${said}`, RESTART, OUTPUT);
    });
  }

  private async end(): Promise<void> {
    const run = this.run;
    this.run = undefined;
    this.standIns?.dispose();
    this.standIns = undefined;
    if (run === undefined) {
      return;
    }
    try {
      if (run.client.state === State.Running && !run.closed) {
        await run.client.dispose();
        await within(run.process.ended, STOP_LIMIT);
        return;
      }
    } catch (error) {
      // One that died or hangs is gone as well.
      this.output.warn(error instanceof Error ? error.message : String(error));
    }
    run.process.kill();
    await run.process.ended;
  }

  private middleware(): Middleware {
    // The answer has no id, so the editor asks for all tokens each time, and not for what has changed in the server's.
    const names = (tokens: vscode.SemanticTokens | null | undefined): vscode.SemanticTokens | undefined => {
      const types = this.client?.initializeResult?.capabilities.semanticTokensProvider?.legend.tokenTypes ?? [];
      const kept = new Set(types.flatMap((type, at) => (KEPT.includes(type) ? [at] : [])));
      return tokens ? new vscode.SemanticTokens(only(kept, tokens.data)) : undefined;
    };
    return {
      executeCommand: (command: string, args: unknown[], next: ExecuteCommandSignature) =>
        this.shown(command, args, async () => (await next(command, args)) as unknown),
      provideCodeLenses: (document, token, next) => (settings.codeLenses() ? next(document, token) : []),
      provideDocumentSemanticTokens: async (document, token, next) => names(await next(document, token)),
      provideDocumentRangeSemanticTokens: async (document, range, token, next) =>
        names(await next(document, range, token)),
    };
  }

  private show(state: "busy" | "running" | "stopped" | "none", text: string): void {
    this.status.busy = state === "busy";
    this.status.severity =
      state === "stopped" ? vscode.LanguageStatusSeverity.Error : vscode.LanguageStatusSeverity.Information;
    this.status.text = `$(server) fly-lsp ${text}`.trimEnd();
    this.status.detail = this.program ?? "";
  }

  private missing(discovery: Extract<Discovery, { found: false }>): void {
    this.show("stopped", "not found");
    discovery.looked.forEach((place) => this.output.warn(`fly-lsp isn't here: ${place}`));
    const message =
      discovery.wrongSetting === undefined
        ? "The Fly language server (fly-lsp) isn't installed, so there are colours only: no diagnostics, no completion. Install it, or say in the settings where it is."
        : `The setting fly.server.path names ${discovery.wrongSetting}, where no program is. Correct it, or leave it empty to have fly-lsp looked for.`;
    this.offer(message, ...(discovery.wrongSetting === undefined ? [INSTALL, SETTINGS] : [SETTINGS, INSTALL]));
  }

  /** A message with buttons that do what it says; nobody waits for it. */
  private offer(message: string, ...buttons: string[]): void {
    void vscode.window.showErrorMessage(message, ...buttons).then((chosen) => {
      switch (chosen) {
        case INSTALL:
          return vscode.env.openExternal(vscode.Uri.parse(`${this.homepage}/editors/vscode.html`));
        case SETTINGS:
          return vscode.commands.executeCommand("workbench.action.openSettings", "fly.server");
        case OUTPUT:
          this.output.show();
          return undefined;
        case RESTART:
          return this.restart();
        default:
          return undefined;
      }
    });
  }
}
