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

export async function answerAt({ methods, isOpen, answer }: Route, request: Request, network?: string): Promise<Response> {
  const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), ...(isOpen ? ['OPTIONS'] : [])];
  if (request.method === 'OPTIONS' && isOpen) return preflightAnswer(allowed);
  if (request.method === 'HEAD' && methods.includes('GET') && isOpen) return new Response(null, await answer(request, network));
  if (!(methods as readonly string[]).includes(request.method))
    return methodNotAllowed(
      allowed.filter((method) => isOpen || method !== 'HEAD'),
      isOpen,
    );
  return answer(request, network);
}
