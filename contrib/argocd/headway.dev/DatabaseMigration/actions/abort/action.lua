-- It names the run, so that it never ends a later one; the resource version makes it new each time.
local run = obj.status ~= nil and obj.status.run or nil
if run == nil or run.id == nil then
  error("There is no run to abort yet")
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["headway.dev/abort"] = run.id .. "/" .. obj.metadata.resourceVersion
return obj
