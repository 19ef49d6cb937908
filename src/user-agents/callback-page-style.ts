/** The style of the callback pages; its hash stands in their Content-Security-Policy. */
export const CALLBACK_PAGE_STYLE = `
:root{color-scheme:light dark;--ground:#f1f3f7;--card:#fff;--line:#e3e6ec;--text:#171a21;--soft:#5b6372;--shadow:0 1px 2px #1018281a,0 18px 44px -14px #10182833;--good:#0f8a5f;--calm:#4b5bd0;--bad:#b45309;--danger:#c8283c}
@media(prefers-color-scheme:dark){:root{--ground:#0e1116;--card:#171b22;--line:#2a303b;--text:#eef1f6;--soft:#9aa4b5;--shadow:0 1px 2px #0006,0 24px 60px -18px #000c;--good:#3ecf97;--calm:#93a0ff;--bad:#f2a95c;--danger:#ff7d8c}}
*{box-sizing:border-box;margin:0}
body{--tone:var(--calm);min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:24px;background:radial-gradient(70rem 32rem at 50% -6rem,color-mix(in srgb,var(--tone) 15%,transparent),transparent) no-repeat var(--ground);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;-webkit-font-smoothing:antialiased}
main{width:100%;max-width:440px;padding:44px 40px 36px;text-align:center;background:var(--card);border:1px solid var(--line);border-radius:20px;box-shadow:var(--shadow);overflow-wrap:anywhere}
.good{--tone:var(--good)}.bad{--tone:var(--bad)}.danger{--tone:var(--danger)}
svg{display:block;margin:0 auto 24px;fill:none;stroke:var(--tone);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
circle{fill:color-mix(in srgb,var(--tone) 12%,transparent);stroke:color-mix(in srgb,var(--tone) 32%,transparent);stroke-width:1}
h1{font-size:1.45rem;line-height:1.25;font-weight:650;letter-spacing:-.015em;text-wrap:balance}
p{margin-top:12px;color:var(--soft);text-wrap:pretty}
.advice,.note{color:var(--text)}
.advice{margin-top:20px;padding-top:20px;border-top:1px solid var(--line)}
.code{margin-top:20px}
code{padding:4px 10px;border-radius:8px;background:var(--ground);font:.8rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}
@media(max-width:480px){main{padding:36px 24px 28px}}
@media(forced-colors:active){svg,circle{stroke:CanvasText}}
`;

/** A test computes it anew; written down, since the pages are made where there is no Node, too. */
export const CALLBACK_PAGE_STYLE_SHA256 = '9awVbZvwonskKamxo+zr5t2cnFoiFXjsEDmJW71PjUE=';
