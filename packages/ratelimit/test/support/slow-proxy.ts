import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A server that hands everything on to another one, and may take its time or lose what comes back. */
export interface SlowProxy {
  readonly port: number;
  /** How long it keeps what comes back. */
  delayMs: number;
  /** Whether a connection breaks at the first that comes back: what was asked for was carried out. */
  cuts: boolean;
  close(): void;
}

export async function startSlowProxy(targetPort: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    keep(near, far);
    keep(far, near);
    near.pipe(far);
    far.on('data', (chunk) => {
      if (proxy.cuts) near.destroy();
      else if (proxy.delayMs === 0) near.write(chunk);
      else setTimeout(() => near.writable && near.write(chunk), proxy.delayMs);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const proxy: SlowProxy = {
    port,
    delayMs: 0,
    cuts: false,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return proxy;
}
