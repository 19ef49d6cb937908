/**
 * What servers and proxies make of percent-encoded text that decode more than the URL standard does, more often, or with
 * less care. For comparing names and finding ways out of a path; nothing is sent as it is read here.
 */

/** As often as anything between here and the server may decode. */
const DECODINGS = 3;

type Reading = (text: string) => string;

/**
 * Every text that anybody may read, that of the text as it is among them. One character stands for each byte: whether
 * they are UTF-8 or Latin-1 is nobody's business here, but for the ASCII that lenient decoders find in more bytes than it
 * needs.
 *
 * @param isSloppy also what decoders read that do not look whether a byte may follow: `%c0%2f` for a slash. In Latin-1,
 *   such bytes are letters and what comes after them.
 */
export function lenientReadings(text: string, isSloppy = true): readonly string[] {
  if (!text.includes('%')) return [text];
  const readings = new Set([text]);
  for (const overlong of isSloppy ? [strictOverlong, sloppyOverlong] : [strictOverlong]) {
    let read = text;
    for (let round = 0; round < DECODINGS; round += 1) {
      read = withoutDropped(asciiOfWide(overlong(bytesOf(read))));
      readings.add(read);
    }
  }
  return [...readings];
}

/** `%u002e` is what http.sys decodes, into UTF-8 where it is no byte. */
const bytesOf: Reading = (text) =>
  text.replace(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi, (_, unit: string | undefined, byte: string) => {
    const code = Number.parseInt(unit ?? byte, 16);
    return code < 0x100 ? String.fromCharCode(code) : String.fromCharCode(...new TextEncoder().encode(String.fromCharCode(code)));
  });

/** ASCII in more bytes than it needs (RFC 3629 section 10): the last seven bits are those of the last two bytes. */
const ofLastTwo = (bytes: string): string =>
  String.fromCharCode(((bytes.charCodeAt(bytes.length - 2) & 1) << 6) | (bytes.charCodeAt(bytes.length - 1) & 0x3f));

const strictOverlong: Reading = (text) =>
  text.replace(/(?:[\xc0\xc1]|(?:\xe0|\xf0\x80|\xf8\x80\x80|\xfc\x80\x80\x80)[\x80\x81])[\x80-\xbf]/g, ofLastTwo);

/** Takes the low six bits of whatever comes after the first byte. */
const sloppyOverlong: Reading = (text) => strictOverlong(text).replace(/[\xc0\xc1][\0-\xff]/g, ofLastTwo);

/** UTF-8 of what is taken for ASCII by whoever wants compatible forms (NFKC) or has only a small code page: U+FF01 to U+FF5E, and these. */
const WIDE: ReadonlyMap<string, string> = new Map([
  ['\xe2\x80\xa4', '.'], // U+2024
  ['\xef\xb9\x92', '.'], // U+FE52
  ['\xe2\x81\x84', '/'], // U+2044
  ['\xe2\x88\x95', '/'], // U+2215
  ['\xe2\x88\x96', '\\'], // U+2216
  ['\xef\xb9\xa8', '\\'], // U+FE68
]);

const asciiOfWide: Reading = (text) =>
  text.replace(
    /\xef(?:\xbc[\x81-\xbf]|\xbd[\x80-\x9e])|\xef\xb9[\x92\xa8]|\xe2(?:\x80\xa4|\x81\x84|\x88[\x95\x96])/g,
    (bytes) => WIDE.get(bytes) ?? String.fromCharCode(0x20 + (((bytes.charCodeAt(1) & 1) << 6) | (bytes.charCodeAt(2) & 0x3f))),
  );

/** Tabs and line ends are what URL parsers drop. */
const withoutDropped: Reading = (text) => text.replace(/[\t\n\r]/g, '');
