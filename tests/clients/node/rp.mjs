// An app that signs people in with openid-client, a certified client. Its settings are in the environment.
import http from 'node:http'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, METHOD, PORT, MAX_AGE, SCOPE } = process.env
const home = `http://127.0.0.1:${PORT}`
const methods = { basic: client.ClientSecretBasic, post: client.ClientSecretPost, none: client.None }
const options = { execute: ISSUER.startsWith('http:') ? [client.allowInsecureRequests] : [] }
const config = await client.discovery(
  new URL(ISSUER), CLIENT_ID, { client_secret: CLIENT_SECRET }, methods[METHOD](CLIENT_SECRET), options,
)

let started = {} // what the visitor must bring back
let tokens, claims

const pages = {
  async '/login'(url) {
    started = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState() + '~'.repeat(Number(url.searchParams.get('long') ?? 0)),
      expectedNonce: client.randomNonce(),
      ...(MAX_AGE && { maxAge: Number(MAX_AGE) }),
    }
    return client.buildAuthorizationUrl(config, {
      redirect_uri: `${home}/callback`,
      scope: SCOPE ?? 'openid profile email groups offline_access something_else',
      state: started.expectedState,
      nonce: started.expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(started.pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...(MAX_AGE && { max_age: MAX_AGE }),
      ...Object.fromEntries([...url.searchParams].filter(([name]) => name !== 'long')),
    })
  },
  async '/callback'(url) {
    tokens = await client.authorizationCodeGrant(config, url, started)
    claims = tokens.claims()
    return `<h1>Hello, ${claims.name}</h1>`
  },
  async '/userinfo'() {
    return { ...claims, ...(await client.fetchUserInfo(config, tokens.access_token, claims.sub)) }
  },
  async '/refresh'() {
    tokens = { ...tokens, ...(await client.refreshTokenGrant(config, tokens.refresh_token)) }
    return { refreshed: true, expires_in: tokens.expires_in }
  },
  async '/introspect'() {
    return await client.tokenIntrospection(config, tokens.access_token)
  },
  async '/revoke'() {
    await client.tokenRevocation(config, tokens.refresh_token)
    return { revoked: true }
  },
  async '/logout'() {
    const given = { post_logout_redirect_uri: `${home}/bye`, id_token_hint: tokens.id_token, state: 'so-long' }
    return client.buildEndSessionUrl(config, given)
  },
  async '/bye'(url) {
    return `<h1>Bye ${url.searchParams.get('state')}</h1>`
  },
}

http.createServer(async (request, response) => {
  const url = new URL(request.url, home)
  try {
    const said = await (pages[url.pathname] ?? (() => '<h1>Welcome</h1>'))(url)
    if (said instanceof URL) return response.writeHead(302, { location: said.href }).end()
    const type = typeof said === 'string' ? 'text/html' : 'application/json'
    response.writeHead(200, { 'content-type': type }).end(typeof said === 'string' ? said : JSON.stringify(said))
  } catch (error) {
    const problem = { error: error.error ?? error.code ?? error.name, why: String(error.error_description ?? error) }
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(problem))
  }
}).listen(Number(PORT), '127.0.0.1')
