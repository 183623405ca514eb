// A node:test reporter that writes a JSON line for each test that ended; test/run.mjs reads them.
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' && type === 'test:pass') continue;
    const error = data.details?.error;
    const cause = error?.cause ?? error;
    yield `${JSON.stringify({
      name: data.name,
      file: data.file,
      line: data.line,
      passed: type === 'test:pass',
      skipped: data.skip !== undefined && data.skip !== false ? String(data.skip === true ? '' : data.skip) : undefined,
      todo: data.todo !== undefined && data.todo !== false,
      suite: data.details?.type === 'suite',
      failureType: error?.failureType,
      milliseconds: data.details?.duration_ms,
      error: cause === undefined ? undefined : String(cause.stack ?? cause.message ?? cause),
    })}\n`;
  }
}
