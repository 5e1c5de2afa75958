# Agent and reflector in one image. The agent must share the site's network, or it measures the container's NAT:
#   docker run --rm --network host callpath probe --target reflector.example
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src src
COPY probes probes
COPY profiles profiles
COPY scripts scripts
COPY test test
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/callpath
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist/src dist/src
COPY --from=build /build/dist/probes dist/probes
COPY --from=build /build/dist/profiles dist/profiles
RUN ln -s /opt/callpath/dist/src/cli/probe.js /usr/local/bin/probe \
 && ln -s /opt/callpath/dist/src/cli/reflector.js /usr/local/bin/reflector \
 && ln -s /opt/callpath/dist/src/cli/callpath.js /usr/local/bin/callpath \
 && chmod +x dist/src/cli/probe.js dist/src/cli/reflector.js dist/src/cli/callpath.js
RUN install -d -o node -g node /var/lib/callpath
# The state directory that agent and health check share. A reflector has another health check (packaging/compose.yaml).
ENV STATE_DIRECTORY=/var/lib/callpath
USER node
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s CMD ["probe", "health"]
ENTRYPOINT ["tini", "--"]
CMD ["probe", "--help"]
