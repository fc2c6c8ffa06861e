// The server's life: found, started, restarted, stopped; and what is said when it can't be.

import * as vscode from "vscode";
import { type ExecuteCommandSignature, LanguageClient, type Middleware, State } from "vscode-languageclient/node";

import { SERVER_COMMANDS, SHOWN_COMMANDS } from "./answers";
import { type Discovery, discover } from "./discover";
import * as settings from "./settings";
import { KEPT, only } from "./tokens";

/** What is done with the answer of a command that a code lens or code action of the server runs. */
export type Shown = (command: string, args: unknown[], run: () => Promise<unknown>) => Promise<unknown>;

const INSTALL = "How to Install";
const SETTINGS = "Open Settings";
const OUTPUT = "Show Output";

export class Server implements vscode.Disposable {
  readonly output = vscode.window.createOutputChannel("Fly", { log: true });
  private client: LanguageClient | undefined;
  private program: string | undefined;
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
    return this.inTurn(() => this.launch());
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      await this.end();
      await this.launch();
    });
  }

  stop(): Promise<void> {
    return this.inTurn(() => this.end());
  }

  /** Asks the server to run a command. Says so, and gives nothing, when it can't. */
  async command(command: string, args: unknown[]): Promise<unknown> {
    await this.queue;
    const client = this.client;
    if (client?.state !== State.Running) {
      this.offer("The Fly language server isn't running.", "Restart Server", OUTPUT);
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
      this.offer(`${why.charAt(0).toUpperCase()}${why.slice(1)}.`.replace(/([.!?])\.$/, "$1"), OUTPUT);
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

  private async launch(): Promise<void> {
    const discovery = discover(settings.surroundings());
    if (!discovery.found) {
      this.program = undefined;
      this.missing(discovery);
      return;
    }
    this.program = discovery.program;
    this.output.info(`Found fly-lsp through ${discovery.how}: ${discovery.program}`);
    const client = new LanguageClient(
      settings.SECTION,
      "Fly",
      {
        command: discovery.program,
        args: settings.serverArguments(),
        options: { env: { ...process.env, ...settings.serverEnvironment() } },
      },
      {
        documentSelector: [{ scheme: "file", language: "fly" }],
        outputChannel: this.output,
        initializationOptions: vscode.workspace.getConfiguration(settings.SECTION),
        middleware: this.middleware(),
      },
    );
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
    this.client = client;
    this.show("busy", "starting");
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        this.show("running", client.initializeResult?.serverInfo?.version ?? "");
      } else if (newState === State.Stopped) {
        this.show("stopped", "stopped");
      }
    });
    try {
      await client.start();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.output.error(why);
      this.show("stopped", "did not start");
      this.offer(`${discovery.program} did not start: ${why}`, OUTPUT, SETTINGS);
      return;
    }
    // Commands the server has are registered by the client. The others answer with what to do.
    const standIns = SERVER_COMMANDS.filter((command) => !this.knows(command));
    this.standIns = vscode.Disposable.from(
      ...standIns.map((command) =>
        vscode.commands.registerCommand(command, (...args: unknown[]) => this.command(command, args)),
      ),
    );
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.standIns?.dispose();
    this.standIns = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // One that died or hangs is gone as well.
      this.output.warn(error instanceof Error ? error.message : String(error));
    }
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

  private show(state: "busy" | "running" | "stopped", text: string): void {
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
        case "Restart Server":
          return this.restart();
        default:
          return undefined;
      }
    });
  }
}
