/** Names of the methods of an object. */
type MethodName<Target> = {
  [Name in keyof Target]: Target[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Target];

type Method<Target, Name extends keyof Target> = Target[Name] extends (...args: infer Args) => infer Result
  ? (...args: Args) => Result
  : never;

/** Puts something around a method of a class, for all of its instances. It gets the method, bound, and the arguments. */
export function wrap<Target extends object, Name extends MethodName<Target>>(
  prototype: Target,
  name: Name,
  around: (
    this: Target,
    method: Method<Target, Name>,
    ...args: Parameters<Method<Target, Name>>
  ) => ReturnType<Method<Target, Name>>,
): void {
  const method = prototype[name] as Method<Target, Name>;
  prototype[name] = function (this: Target, ...args: Parameters<Method<Target, Name>>) {
    return around.call(this, method.bind(this) as Method<Target, Name>, ...args);
  } as Target[Name];
}
