// Clients and servers for forward.test.ts; run inside network namespaces, so they are programs of their own.
//   server tcp|udp HOST PORT [read-late]   prints "listening", echoes; a TCP client first gets one line: who it is
//   slow HOST PORT MS                      prints "listening", and "asked" when a client has sent something, whom it answers MS later
//   ask HOST PORT                          as hello, but asks first, and is answered later
//   hello HOST PORT [LOCALPORT]            connects, prints {line, ms} or {error, ms}
//   bulk HOST PORT COUNT BYTES             connections at once; each sends BYTES and its end, and compares the echo
//   stall HOST PORT                        writes until nothing is taken for half a second; prints {written}
//   hold HOST PORT COUNT                   opens COUNT connections, prints {lines}, keeps them until stdin ends
//   talk HOST PORT [LOCALPORT]                     one connection: "x" at every 100 ms, prints each echo, until the other side ends
//   udp HOST PORT COUNT [LOCALPORT]        sends COUNT datagrams, one after the reply of the one before; prints {replies, from, line}
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer, connect as tcpConnect } from "node:net";

const [mode, ...words] = process.argv.slice(2);
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const connect = (host, port, localPort) =>
  tcpConnect({ host, port: Number(port), allowHalfOpen: true, ...(localPort ? { localPort: Number(localPort) } : {}) });

function serverTcp(host, port, late) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.write(`${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}\n`);
    if (late) {
      socket.pause();
      return;
    }
    socket.pipe(socket);
  });
  server.listen({ host, port: Number(port), backlog: 1024 }, () => console.log("listening"));
}

function serverUdp(host, port) {
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4", ipv6Only: false });
  socket.on("message", (data, from) => socket.send(`${from.address} ${from.port} ${data}`, from.port, from.address));
  socket.bind(Number(port), host, () => console.log("listening"));
}

function slow(host, port, ms) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      console.log("asked");
      setTimeout(() => socket.end(`${socket.remoteAddress}\n`), Number(ms));
    });
  });
  server.listen({ host, port: Number(port) }, () => console.log("listening"));
}

/** Reads the greeting, then calls back with what follows. */
function afterLine(socket, line, data) {
  let head = Buffer.alloc(0);
  let done = false;
  socket.on("data", (chunk) => {
    if (done) return data(chunk);
    head = Buffer.concat([head, chunk]);
    const at = head.indexOf(10);
    if (at < 0) return;
    done = true;
    line(head.subarray(0, at).toString());
    if (head.length > at + 1) data(head.subarray(at + 1));
  });
}

function ask(host, port) {
  hello(host, port).write("?");
}

function hello(host, port, localPort) {
  const start = Date.now();
  const socket = connect(host, port, localPort);
  socket.on("error", (error) => print({ error: error.code, ms: Date.now() - start }));
  afterLine(
    socket,
    (line) => {
      print({ line, ms: Date.now() - start });
      socket.destroy();
    },
    () => {},
  );
  return socket;
}

function bulkOne(host, port, bytes) {
  return new Promise((done) => {
    const data = randomBytes(bytes);
    const hash = createHash("sha256");
    const socket = connect(host, port);
    let peer = "";
    socket.on("error", (error) => done({ error: error.code }));
    socket.on("connect", () => socket.end(data));
    afterLine(
      socket,
      (line) => (peer = line),
      (chunk) => hash.update(chunk),
    );
    socket.on("end", () => done({ peer, same: hash.digest("hex") === createHash("sha256").update(data).digest("hex") }));
  });
}

async function bulk(host, port, count, bytes) {
  const start = Date.now();
  const all = await Promise.all(Array.from({ length: Number(count) }, () => bulkOne(host, port, Number(bytes))));
  const peers = new Set(all.map((one) => one.peer?.split(" ")[0]));
  print({
    same: all.filter((one) => one.same).length,
    errors: all.map((one) => one.error).filter(Boolean),
    peers: [...peers],
    ms: Date.now() - start,
  });
  process.exit(0);
}

function stall(host, port) {
  const socket = connect(host, port);
  const chunk = Buffer.alloc(1 << 16);
  let written = 0;
  let last = Date.now();
  const write = () => {
    while (
      socket.write(chunk, () => {
        written += chunk.length;
        last = Date.now();
      })
    );
  };
  socket.on("drain", write);
  socket.on("connect", write);
  setInterval(() => {
    if (Date.now() - last < 500) return;
    print({ written });
    process.exit(0);
  }, 100);
}

function hold(host, port, count) {
  const lines = [];
  for (let i = 0; i < Number(count); i++) {
    const socket = connect(host, port);
    socket.on("error", () => {});
    afterLine(
      socket,
      (line) => {
        if (lines.push(line) === Number(count)) print({ lines: lines.length });
      },
      () => {},
    );
  }
  process.stdin.on("end", () => process.exit(0)).resume();
}

function talk(host, port, localPort) {
  const socket = connect(host, port, localPort);
  const timer = setInterval(() => socket.write("x"), 100);
  const over = (how) => {
    clearInterval(timer);
    print({ how });
    process.exit(0);
  };
  socket.on("error", (error) => over(error.code));
  socket.on("end", () => over("end"));
  afterLine(
    socket,
    (line) => print({ line }),
    (chunk) => print({ echo: chunk.toString() }),
  );
}

function udp(host, port, count, localPort) {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const from = new Set();
  let replies = 0;
  let line = "";
  const send = () => socket.send(`n${replies}`, Number(port), host);
  const over = () => {
    print({ replies, from: [...from], line });
    process.exit(0);
  };
  socket.on("message", (data, peer) => {
    from.add(peer.address);
    line = data.toString();
    if (++replies === Number(count)) over();
    else send();
  });
  socket.on("error", (error) => {
    print({ error: error.code });
    process.exit(1);
  });
  socket.bind(localPort ? Number(localPort) : 0, send);
  setTimeout(over, 3000);
}

const modes = {
  hello,
  ask,
  slow,
  bulk,
  stall,
  hold,
  talk,
  udp,
  server: (kind, ...rest) => (kind === "udp" ? serverUdp : serverTcp)(...rest),
};
modes[mode](...words);
