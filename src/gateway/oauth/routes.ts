/** Endpoints by their path, and what each answers to the methods of HTTP. */
import { jsonAnswer, methodNotAllowed, preflightAnswer } from './oauth-answers.ts';

export interface Route {
  readonly methods: readonly ('GET' | 'POST')[];
  /** Web pages of other origins may ask. */
  readonly isOpen: boolean;
  /** A person looks at what it answers. */
  readonly isPage?: boolean;
  /** `network`: whose request it is; `undefined` where that is not known. */
  readonly answer: (request: Request, network: string | undefined) => Response | Promise<Response>;
}

/** For machines. */
export const openRoute = (method: 'GET' | 'POST', answer: Route['answer']): Route => ({ methods: [method], isOpen: true, answer });

/** For people. */
export const pageRoute = (method: 'GET' | 'POST', answer: Route['answer']): Route => ({
  methods: [method],
  isOpen: false,
  isPage: true,
  answer,
});

/** Says that the process answers, and nothing of what it depends on. */
export const healthRoute: Route = { methods: ['GET'], isOpen: false, answer: () => jsonAnswer({ status: 'ok' }) };

export async function answerAt({ methods, isOpen, isPage, answer }: Route, request: Request, network?: string): Promise<Response> {
  // A page changes something by being asked for.
  const hasHead = methods.includes('GET') && isPage !== true;
  const allowed = [...methods, ...(hasHead ? ['HEAD'] : []), ...(isOpen ? ['OPTIONS'] : [])];
  if (!allowed.includes(request.method)) return methodNotAllowed(allowed, isOpen);
  if (request.method === 'OPTIONS') return preflightAnswer(allowed);
  return request.method === 'HEAD' ? new Response(null, await answer(request, network)) : answer(request, network);
}
