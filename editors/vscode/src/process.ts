// The server's process: what it said last, how it ended, and what is said of one that did not start.
// What never lives here: the editor, the protocol; so that it can be tried with programs that misbehave.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import path from "node:path";

/** How long a server may take to answer the first message. */
export const START_LIMIT = 20_000;
/** How long one may take to end after it has said goodbye. */
export const STOP_LIMIT = 2_000;
/** How long one whose pipe broke may take to be seen to have ended. */
export const END_LIMIT = 1_000;

export interface Command {
  program: string;
  arguments: string[];
  environment: Readonly<Record<string, string>>;
  folder: string | undefined;
}

/** A program that runs, or ran. */
export class Process {
  readonly child: ChildProcessWithoutNullStreams;
  /** Settled when it runs; fails when it can't be started. */
  readonly spawned: Promise<void>;
  /** Settled when it has ended and has said all. */
  readonly ended: Promise<void>;
  private end: string | undefined;
  private said = "";

  constructor(readonly command: Command) {
    const env = { ...process.env, ...command.environment };
    this.child = spawn(command.program, command.arguments, { env, cwd: command.folder });
    this.child.stderr.on("data", (data: Buffer) => (this.said = (this.said + data.toString()).slice(-4096)));
    this.spawned = new Promise((resolve, reject) => {
      this.child.once("spawn", resolve);
      this.child.once("error", reject);
    });
    this.ended = new Promise((resolve) => {
      this.child.once("error", () => resolve());
      this.child.once("close", (code, signal) => {
        this.end = signal === null ? `ended with code ${code ?? 0}` : `was ended by ${signal}`;
        resolve();
      });
    });
    // Whoever waits for it hears of it; nobody has to.
    this.spawned.catch(() => undefined);
    // One that is gone can't be written to; that it is gone is told elsewhere.
    this.child.stdin.on("error", () => undefined);
  }

  /** Ends it without asking. What it started hears that its input has ended. */
  kill(): void {
    this.child.stdin.destroy();
    this.child.kill("SIGKILL");
  }

  /** How it ended, if it has. */
  get how(): string | undefined {
    return this.end;
  }

  /** The last line it wrote of what is wrong. */
  get lastLine(): string | undefined {
    return this.said.split(/\r?\n/).findLast((line) => line.trim() !== "")?.trim();
  }
}

/** What to say of a server that did not start, in one message. */
export function failure(command: Command, end: string | undefined, lastLine: string | undefined, why: string): string {
  const name = path.win32.basename(command.program).replace(/\.exe$/i, "");
  const what = [command.program, ...command.arguments].join(" ");
  const said = lastLine === undefined ? "" : ` It said: ${lastLine}`;
  const hint = ' flyc is a language server only with "fly.server.arguments": ["lsp"].';
  const isFlyc = name === "flyc" && !command.arguments.includes("lsp");
  const happened = end === undefined ? why : `It ${end} before it answered`;
  return `The Fly language server did not start: ${what}. ${sentence(happened)}${isFlyc ? hint : said}`;
}

/** The text with a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace(/([.!?])\.$/, "$1");
}

/** Nobody waits any longer, and nobody has said why. */
export class GivenUp extends Error {}

/** Waits for a promise until the time is over or the signal says that nobody waits any more: both fail it. */
export async function within<T>(promise: Promise<T>, milliseconds: number, given?: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const over = new Promise<never>((_, reject) => {
    const timer = setTimeout(
      () => reject(new GivenUp(`It has not answered within ${milliseconds / 1000} seconds, and was ended`)),
      milliseconds,
    );
    const abort = (): void => reject(new GivenUp("It was not waited for any longer"));
    given?.addEventListener("abort", abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      given?.removeEventListener("abort", abort);
    };
    if (given?.aborted === true) {
      abort();
    }
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    stop();
  }
}

/** Whether a server that ended by itself is started anew: not when it keeps ending. */
export class Restarts {
  private times: number[] = [];

  constructor(
    private readonly most = 4,
    private readonly span = 180_000,
  ) {}

  another(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < this.span), now];
    return this.times.length <= this.most;
  }

  forget(): void {
    this.times = [];
  }
}
