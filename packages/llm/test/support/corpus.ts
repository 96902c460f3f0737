/** Texts of many kinds, to see how far off an estimate of their tokens is. */
import { readFileSync } from 'node:fs';
import { createSeededRandom } from '@sage-adk/core/testing';

export interface CorpusText {
  readonly name: string;
  readonly text: string;
  /** What nobody writes: keys, digests, encoded bytes. */
  readonly isNoise?: true;
}

const here = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const random = createSeededRandom(7);
const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

export const corpus: readonly CorpusText[] = [
  { name: 'English', text: here('../../CONTRIBUTING.md') },
  { name: 'English, one line', text: 'What does a call of a model cost, and who pays for it?' },
  { name: 'TypeScript', text: here('src/body/exchange.ts') },
  { name: 'JSON', text: JSON.stringify(JSON.parse(here('package.json'))) },
  { name: 'JSON, indented', text: here('package.json') },
  {
    name: 'JSON of numbers',
    text: JSON.stringify(many(200, (id) => ({ id, price: Math.floor(random() * 1e5) / 100, at: 1.7e12 + id * 977 }))),
  },
  {
    name: 'German',
    text: 'Bevor ein Aufruf hinausgeht, wird zurückgelegt, was er höchstens kosten kann; danach wird abgerechnet, was er wirklich gekostet hat. Mehrere Prozesse teilen sich dabei ein gemeinsames Budget, und keiner von ihnen kann es überschreiten.',
  },
  {
    name: 'Russian',
    text: 'Прежде чем запрос уйдёт, резервируется наибольшая сумма, которую он может стоить, а после ответа списывается столько, сколько он стоил на самом деле. Несколько процессов делят один бюджет, и ни один не может его превысить.',
  },
  {
    name: 'Arabic',
    text: 'عند تشغيل الوكلاء في بيئة الإنتاج، فإن السؤال الأول الذي يجب الإجابة عنه هو: كم تكلف كل مكالمة؟ وإذا لم يكن هناك حد أعلى، فقد ينفق وكيل واحد ميزانية شهر كامل في بضع دقائق.',
  },
  {
    name: 'Hindi',
    text: 'किसी अनुरोध को भेजने से पहले उसकी अधिकतम संभावित लागत आरक्षित की जाती है, और उत्तर पूरा होने के बाद वास्तविक उपयोग के अनुसार हिसाब किया जाता है।',
  },
  {
    name: 'Chinese',
    text: '在生产环境中运行智能体时，首先要回答的问题是：一次请求究竟要花多少钱？如果没有预算上限，一个陷入循环的智能体可能在几分钟内耗尽整个月的额度。因此我们在请求发出之前就预留最坏情况下的费用，等回答结束后再按实际用量结算。',
  },
  {
    name: 'Japanese',
    text: '本番環境でエージェントを動かすとき、最初に答えるべき問いは「一回のリクエストにいくらかかるのか」です。上限がなければ、ループに陥ったエージェントが数分で一か月分の予算を使い切ってしまうかもしれません。',
  },
  {
    name: 'Korean',
    text: '운영 환경에서 에이전트를 실행할 때 가장 먼저 답해야 할 질문은 요청 하나에 얼마가 드는가입니다. 한도가 없으면 반복에 빠진 에이전트가 몇 분 만에 한 달 예산을 모두 써 버릴 수 있습니다.',
  },
  { name: 'emoji', text: '🙂🚀🎉🔥💡🧪📦🌍👩‍💻🧵🪄✅❤️🤖📈'.repeat(6), isNoise: true },
  { name: 'hexadecimal', text: bytes(600).toString('hex'), isNoise: true },
  { name: 'base64', text: bytes(900).toString('base64'), isNoise: true },
  {
    name: 'UUIDs',
    text: many(40, () =>
      bytes(16)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    ).join('\n'),
    isNoise: true,
  },
];
