// Runs before the npm scripts, on whatever Node there is: it must stay readable for old ones.
'use strict';

// The tests and tools are TypeScript with `await using`, as only Node 24 runs it; a build needs less.
var needed = process.argv[2] || '24';
var here = process.versions.node.split('.').map(Number);
var least = needed.split('.').map(Number);

if (here[0] < least[0] || (here[0] === least[0] && here[1] < (least[1] || 0))) {
  console.error(
    'This script of authchart needs Node ' +
      needed +
      ' or newer; this is Node ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      '.\n' +
      'On Linux x64 "npm ci" installs the pinned Node by itself, if optional dependencies are not left out.\n' +
      'Elsewhere, install Node 24 and put it first on the PATH.',
  );
  process.exit(1);
}
