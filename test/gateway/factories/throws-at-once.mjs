throw new RangeError('SECRET-at-import');
