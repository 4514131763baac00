-- The resource version is a token that is new each time: the operator answers it in status.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["headway.dev/paused"] = obj.metadata.resourceVersion
return obj
