// fly-lsp between the editor and this: what it is asked goes through, except for those of its commands that it doesn't
// know yet. These are answered here, in the form that the extension expects.
import { spawn } from "node:child_process";

const [program, ...args] = process.argv.slice(2);
const server = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
server.on("exit", (code) => process.exit(code ?? 1));

const answers = {
  "fly.explain": ([id]) => ({ markdown: `# ${id}\n\nWhat ${id} means.\n` }),
  "fly.generated": () => ({
    files: [
      { path: "eggs/web/main.tf", text: 'resource "aws_instance" "runner" {\n  ami = var.image\n}\n' },
      { path: "eggs/web/user-data", text: "#cloud-config\nruncmd: []\n" },
    ],
  }),
  "fly.simulate": ([uri, event]) => ({ markdown: `# Simulated\n\n${uri} ${JSON.stringify(event ?? null)}\n` }),
};
let mine = [];
let initialize;

/** Calls `each` with every message of the stream, whole. */
function read(stream, each) {
  let rest = Buffer.alloc(0);
  stream.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const end = rest.indexOf("\r\n\r\n");
      const length = /content-length: *(\d+)/i.exec(rest.subarray(0, Math.max(end, 0)).toString())?.[1];
      const from = end + 4;
      if (end < 0 || length === undefined || rest.length < from + Number(length)) {
        return;
      }
      each(JSON.parse(rest.subarray(from, from + Number(length)).toString()));
      rest = rest.subarray(from + Number(length));
    }
  });
}

function write(stream, message) {
  const text = JSON.stringify(message);
  stream.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

read(process.stdin, (message) => {
  if (message.method === "initialize") {
    initialize = message.id;
  }
  const { command, arguments: given = [] } = message.params ?? {};
  if (message.method === "workspace/executeCommand" && mine.includes(command)) {
    write(process.stdout, { jsonrpc: "2.0", id: message.id, result: answers[command](given) });
  } else {
    write(server.stdin, message);
  }
});
process.stdin.on("end", () => server.stdin.end());
read(server.stdout, (message) => {
  if (message.id === initialize && message.result !== undefined) {
    initialize = undefined;
    const capabilities = message.result.capabilities;
    const known = capabilities.executeCommandProvider?.commands ?? [];
    mine = Object.keys(answers).filter((command) => !known.includes(command));
    capabilities.executeCommandProvider = { commands: [...known, ...mine] };
  }
  write(process.stdout, message);
});
