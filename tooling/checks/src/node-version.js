// Says plainly when the Node that runs the scripts is too old. On Linux the workspace brings its own.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Node >= 22.18 is needed to work on this repository; this is ${process.versions.node}. On Linux (x64, arm64) the install brings Node 24; elsewhere install Node 24 and run the command again.`,
  );
  process.exit(1);
}
